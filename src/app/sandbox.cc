#include "app/sandbox.h"

#include "app/workshop.h"
#include "base/file.h"
#include "base/log.h"
#include "net/address_filter.h"
#include "source/cookies.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

namespace rushes::app {
namespace {

namespace fs = std::filesystem;

// Of a worker: some of its beats may be late on a busy machine.
constexpr std::chrono::seconds kShortestSilence{5};
constexpr std::size_t kMaxCookies = 4U << 20U;
constexpr const char* kProgramFolders = "/usr/local/bin:/usr/bin:/bin";

/// The program's absolute path, where PATH has it.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return fs::absolute(name).string();
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? kProgramFolders : path;
  while (!rest.empty()) {
    const auto folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    const auto file = fs::path(folder) / name;
    if (file.is_absolute() && ::access(file.c_str(), X_OK) == 0) return file.string();
  }
  return name;
}

std::vector<std::string> worker_environment(const Config& config, const box::HostReport& host) {
  // Nothing of the server's own environment goes to a process that reads hostile files, but these.
  // Huge pages: most of a fork, and of its end, is copying page tables of the models.
  std::vector<std::string> environment{std::string("PATH=") + kProgramFolders, "HOME=/nonexistent",
                                       "MALLOC_CONF=thp:always"};
  for (const auto* name : {"LANG", "LC_ALL", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ"}) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  auto for_workers = config;
  for_workers.yt_dlp = find_program(config.yt_dlp);
  environment.push_back(std::string(kWorkerSettings) + "=" + worker_settings(for_workers, host.keep_privileges));
  return environment;
}

std::vector<std::string> fetch_readable(const Config& config) {
  const char* python_path = std::getenv("PYTHONPATH");
  return yt_dlp_paths(find_program(config.yt_dlp), python_path == nullptr ? "" : python_path);
}

std::string cookies_of(const Config& config, const std::string& url) {
  const auto checked = net::AddressFilter(true).check_url(url);
  const auto jar = read_file(config.cookies_file, kMaxCookies);
  if (!jar) log::warning("app", "cookies_file: {}", jar.error().what());
  if (!jar || !checked) return {};
  return source::cookies_for(*jar, config.cookies_hosts, checked->host);
}

}  // namespace

Result<void> check_root(const Config& config) {
  if (::geteuid() != 0) return {};
  if (!config.allow_root) {
    return Error(
        Errc::forbidden,
        "the server does not run as root unless allow_root is set (--allow-root true, RUSHES_ALLOW_ROOT=true): "
        "start it as an ordinary user, or set that; jobs then run as the user 'rushes', or as uid 65534 where "
        "there is no such user");
  }
  log::warning("app", "running as root (allow_root); jobs run as {}", box::box_identity().name);
  return {};
}

void hide_secrets() {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  for (const auto& setting : settings()) {
    if (!setting.secret) continue;
    for (const auto& name : {environment_name(setting.name), std::string(setting.other_env)}) {
      char* value = name.empty() ? nullptr : std::getenv(name.c_str());
      if (value == nullptr) continue;
      ::explicit_bzero(value, std::strlen(value));  // what the kernel shows of a process is where it began
      ::unsetenv(name.c_str());
    }
  }
}

int print_host_report() {
  std::cout << encode(box::examine_host(box::box_identity())) << std::endl;
  return EXIT_SUCCESS;
}

Result<void> judge_host(const Config& config, const box::HostReport& host) {
  std::string parts;
  std::string remedies;  // each once: one setting of the host may be behind several parts
  for (const auto& missing : host.missing) {
    log::warning("app", "sandbox: no {} ({}); remedy: {}", missing.part, missing.why, missing.remedy);
    parts += (parts.empty() ? "" : ", ") + missing.part + " (" + missing.why + ")";
    if (remedies.find(missing.remedy) == std::string::npos) remedies += "; remedy: " + missing.remedy;
  }
  if (config.sandbox == "require" && !host.complete()) {
    return Error(Errc::unavailable, "sandbox = require, and this host lacks: " + parts + remedies);
  }
  if (!host.walls.network && config.sandbox == "best-effort") {
    log::warning("app", "sandbox: what fetches URLs reaches every network of this host (sandbox = best-effort)");
  } else if (!host.walls.network) {
    log::warning("app", "sandbox: URLs are refused, since their fetching cannot be confined");
  }
  return {};
}

Result<void> check_secrecy(const Config& config) {
  auto readable = fetch_readable(config);
  readable.insert(readable.end(), {"/usr", "/etc/ssl", "/etc/alternatives"});
  for (const auto& secret : {config.data_dir, fs::path(config.cookies_file)}) {
    if (secret.empty()) continue;
    if (const auto above = folder_above(secret, readable); !above.empty()) {
      return Error(Errc::invalid_argument, secret.string() + " lies below " + above +
                                               ", which jobs can read: move it, for instance to /var/lib/rushes");
    }
  }
  return {};
}

std::string folder_above(const fs::path& path, const std::vector<std::string>& folders) {
  std::error_code failed;
  const auto real = fs::weakly_canonical(fs::absolute(path), failed);
  for (const auto& folder : folders) {
    const auto above = fs::canonical(folder, failed);
    if (failed) continue;
    const auto parts = std::mismatch(above.begin(), above.end(), real.begin(), real.end());
    if (parts.first == above.end()) return folder;
  }
  return {};
}

worker::PoolOptions pool_options(const Config& config, const box::HostReport& host) {
  worker::PoolOptions options;
  options.size = config.workers + config.transcript_lane;
  options.longest_attempt = config.job_timeout;
  options.silence = std::max<std::chrono::milliseconds>(config.lease, kShortestSilence);
  options.max_memory_bytes = static_cast<std::uint64_t>(config.max_job_memory);
  options.max_fetch_bytes = static_cast<std::uint64_t>(config.max_upload_bytes);
  options.zygote.program = "/proc/self/exe";  // also after an upgrade: zygote and server are of one version
  options.zygote.arguments = {"worker"};
  options.zygote.environment = worker_environment(config, host);
  options.identity = box::box_identity();
  options.walls = host.walls;
  options.fetch_without_network_wall = config.sandbox == "best-effort";
  options.addresses = net::AddressFilter(config.allow_private_addresses);
  options.fetch_readable = fetch_readable(config);
  if (!config.cookies_file.empty()) {
    if (::access(config.cookies_file.c_str(), R_OK) != 0) {
      log::warning("app", "cookies_file: {} cannot be read: {}", config.cookies_file, std::strerror(errno));
    }
    options.cookies = [config](const std::string& url) { return cookies_of(config, url); };
  }
  return options;
}

std::vector<std::string> yt_dlp_paths(const std::string& program, const std::string& python_path) {
  std::vector<std::string> paths;
  const auto add = [&paths](const fs::path& path) {
    std::error_code failed;
    const auto text = path.lexically_normal().string();
    if (!path.is_absolute() || !fs::exists(path, failed) || text.starts_with("/usr/")) return;
    if (std::find(paths.begin(), paths.end(), text) == paths.end()) paths.push_back(text);
  };
  std::string_view rest = python_path;
  while (!rest.empty()) {
    const auto folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    add(fs::path(folder));
  }
  std::error_code failed;
  const auto file = fs::canonical(program, failed);
  if (failed || file.string().starts_with("/usr/")) return paths;
  add(program);
  add(file);
  const auto prefix = file.parent_path().parent_path();
  if (fs::exists(prefix / "pyvenv.cfg", failed)) {  // a virtual environment (PEP 405), as pipx makes it
    add(prefix);
    return paths;
  }
  for (const auto& library : fs::directory_iterator(prefix / "lib", failed)) {  // pip install --user
    add(library.path() / "site-packages" / "yt_dlp");
  }
  return paths;
}

}  // namespace rushes::app
