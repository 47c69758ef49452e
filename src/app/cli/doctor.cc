#include "app/cli/doctor.h"

#include "app/cli/program_output.h"
#include "base/file.h"
#include "base/text.h"
#include "source/cookies.h"

#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

namespace rushes::app::cli {
namespace {

using State = Finding::State;

constexpr const char* kModelFolder = "/usr/share/pocketsphinx/model/en-us";
constexpr std::int64_t kGiB = std::int64_t{1} << 30U;

/// A command as it works for who runs this.
std::string as_root(const std::string& command) { return (::geteuid() == 0 ? "" : "sudo ") + command; }

/// The folder, or the nearest one above it that is there.
std::filesystem::path nearest_existing(const std::filesystem::path& folder) {
  std::error_code failed;
  auto at = std::filesystem::absolute(folder, failed);
  while (!at.empty() && !std::filesystem::exists(at, failed) && at.has_relative_path()) at = at.parent_path();
  return at;
}

std::string newer_yt_dlp() {
  // Not in a home folder, which the user of the boxes and the systemd unit cannot reach.
  return as_root("env PIPX_HOME=/opt/pipx PIPX_BIN_DIR=/usr/local/bin pipx install yt-dlp") +
         " (or, with bookworm-backports among apt's sources: " +
         as_root("apt-get install -t bookworm-backports yt-dlp") + ")";
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::vector<Finding> examine(const Config& config) {
  std::vector<Finding> findings{
      check_yt_dlp(config.yt_dlp, SystemClock().now()),
      check_speech_model(kModelFolder),
      check_data_dir(config.data_dir),
      check_secret(config),
      check_disk(config.data_dir, config.max_upload_bytes),
      check_port(config.host, config.port),
      check_memory(config.workers + config.transcript_lane),
      check_open_files(),
  };
  auto sandbox = check_sandbox(box::examine_host(box::box_identity()), config.sandbox);
  findings.insert(findings.end(), sandbox.begin(), sandbox.end());
  findings.push_back(check_user(config));
  findings.push_back({State::good, "Node.js", "not needed to run the server", ""});
  return findings;
}

Finding judge_yt_dlp(std::string_view version, Timestamp now) {
  using namespace std::chrono;
  Finding finding{State::good, "yt-dlp", "version " + std::string(version), ""};
  const auto years = version.size() >= 10 ? number(version.substr(0, 4)) : std::nullopt;
  const auto months = version.size() >= 10 ? number(version.substr(5, 2)) : std::nullopt;
  const auto of_month = version.size() >= 10 ? number(version.substr(8, 2)) : std::nullopt;
  if (!years || !months || !of_month) {
    finding.state = State::warning;
    finding.detail += ", whose age cannot be told; cookies are not used with it";
    finding.remedy = newer_yt_dlp();
    return finding;
  }
  const sys_days released =
      year_month_day(year(*years), month(static_cast<unsigned>(*months)), day(static_cast<unsigned>(*of_month)));
  const auto age = duration_cast<days>(now - released).count();
  finding.detail += ", " + std::to_string(std::max<std::int64_t>(age, 0)) + " days old";
  if (age > 180) {
    finding.state = State::warning;
    finding.detail += "; large sites change faster than that, and their videos may not be readable with it";
    finding.remedy = newer_yt_dlp();
  }
  if (!source::takes_cookies(version)) {
    finding.detail += "; cookies are not used with one older than " + std::string(source::kFirstWithCookies) +
                      ", which sends them to any site that a page names";
  }
  return finding;
}

Finding check_yt_dlp(const std::string& program, Timestamp now) {
  const auto version = program_output({program, "--ignore-config", "--version"}, std::chrono::seconds(20));
  if (version) return judge_yt_dlp(trim(*version), now);
  return {State::missing, "yt-dlp", "videos on web sites cannot be fetched: " + version.error().what(),
          program == "yt-dlp" ? as_root("apt-get install yt-dlp") : "set RUSHES_YT_DLP to where yt-dlp is"};
}

Finding check_speech_model(const std::filesystem::path& folder) {
  Finding finding{State::good, "speech model", "English, in " + folder.string(), ""};
  for (const auto* file : {"en-us/mdef", "en-us.lm.bin", "cmudict-en-us.dict"}) {
    if (::access((folder / file).c_str(), R_OK) == 0) continue;
    finding.state = State::missing;
    finding.detail = "speech cannot be transcribed: " + (folder / file).string() + " is not there";
    finding.remedy = as_root("apt-get install pocketsphinx-en-us");
    break;
  }
  return finding;
}

Finding check_data_dir(const std::filesystem::path& folder) {
  const auto there = nearest_existing(folder);
  Finding finding{State::good, "data folder", folder.string() + " can be written", ""};
  std::error_code failed;
  if (!std::filesystem::is_directory(there, failed)) {
    return {State::missing, "data folder", there.string() + " is not a folder", "choose another with --data-dir"};
  }
  if (::access(there.c_str(), W_OK | X_OK) != 0) {
    return {State::missing, "data folder", there.string() + " cannot be written: " + std::strerror(errno),
            as_root("chown -R $(id -un) " + there.string()) + ", or choose another with --data-dir"};
  }
  if (!std::filesystem::exists(folder, failed)) finding.detail = folder.string() + " will be made at the first start";
  return finding;
}

Finding check_secret(const Config& config) {
  if (!config.jwt_secret.empty()) return {State::good, "signing secret", "configured", ""};
  if (!has_own_secret(config)) {
    return {State::good, "signing secret", "not needed: tokens are verified with jwt_public_key or jwt_jwks", ""};
  }
  const auto file = config.data_dir / "secret";
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return {State::good, "signing secret", "the server will make its own in " + file.string(), ""};
  }
  if ((status.st_mode & 077U) != 0) {
    return {State::missing, "signing secret", "others may read " + file.string() + "; the server refuses it",
            "chmod 600 " + file.string()};
  }
  return {State::good, "signing secret", "the server's own, in " + file.string(), ""};
}

Finding check_disk(const std::filesystem::path& folder, std::int64_t max_upload_bytes) {
  std::error_code failed;
  const auto space = std::filesystem::space(nearest_existing(folder), failed);
  if (failed) return {State::warning, "disk space", "cannot be told: " + failed.message(), ""};
  Finding finding{State::good, "disk space", to_human_size(space.available) + " free for " + folder.string(), ""};
  const auto free = static_cast<std::int64_t>(std::min<std::uintmax_t>(space.available, INT64_MAX));
  if (free < kGiB) {
    finding.state = State::missing;
    finding.remedy = "free some, or choose another folder with --data-dir";
  } else if (free / 2 < max_upload_bytes) {
    finding.state = State::warning;
    finding.detail +=
        ", less than two of the largest uploads (" + to_human_size(static_cast<std::uint64_t>(max_upload_bytes)) + ")";
    finding.remedy = "free some, or lower RUSHES_MAX_UPLOAD_BYTES";
  }
  return finding;
}

Finding check_port(const std::string& host, int port) {
  const auto where = host + ":" + std::to_string(port);
  if (port == 0) return {State::good, "port", "the server will take a free one", ""};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* raw = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &raw);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> address(raw, ::freeaddrinfo);
  if (failed != 0 || raw == nullptr) {
    return {State::missing, "port", host + " is no address of this machine: " + ::gai_strerror(failed),
            "choose another with --host"};
  }
  const FileDescriptor socket(::socket(raw->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (::bind(socket.get(), raw->ai_addr, raw->ai_addrlen) == 0) return {State::good, "port", where + " is free", ""};
  if (errno == EADDRINUSE) {
    return {State::warning, "port", where + " is taken, by a server that runs already or another program",
            "end that one, or start with another --port (0 takes a free one)"};
  }
  return {State::missing, "port", where + " cannot be used: " + std::strerror(errno),
          "choose another with --port or --host"};
}

Finding check_open_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  Finding finding{State::good, "open files", "up to " + std::to_string(limit.rlim_max), ""};
  if (limit.rlim_max < 4096) {
    finding.state = State::warning;
    finding.detail += ": each connected browser needs one or two";
    finding.remedy = "ulimit -n 20000 before the start (in systemd: LimitNOFILE=)";
  }
  return finding;
}

Finding check_memory(int jobs) {
  constexpr std::int64_t kServer = 128LL << 20U;
  constexpr std::int64_t kWorker = 300LL << 20U;
  const auto bytes = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  const auto processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  Finding finding{State::good, "processors and memory",
                  std::to_string(processors) + " processors, " + to_human_size(static_cast<std::uint64_t>(bytes)) +
                      " for " + std::to_string(jobs) + " jobs at once, transcripts beside the workers included",
                  ""};
  if (bytes < kServer + jobs * kWorker) {
    finding.state = State::warning;
    finding.detail += ", which may need 300 MiB each";
    finding.remedy = "lower RUSHES_WORKERS";
  }
  return finding;
}

std::vector<Finding> check_sandbox(const box::HostReport& host, const std::string& mode) {
  if (host.complete()) {
    const auto* how = host.keep_privileges ? "all walls, made by root: there are no user namespaces" : "all walls";
    return {{State::good, "sandbox", std::string(how) + ", Landlock ABI " + std::to_string(host.walls.landlock), ""}};
  }
  std::vector<Finding> findings;
  for (const auto& one : host.missing) {
    const bool needed = mode == "require" || (mode == "require-network" && one.part == "network namespace");
    auto detail = "no " + one.part + ": " + one.why;
    if (one.part == "network namespace" && mode == "require-network") detail += "; URLs will be refused";
    findings.push_back({needed ? State::missing : State::warning, "sandbox", std::move(detail), one.remedy});
  }
  return findings;
}

Finding check_user(const Config& config) {
  if (::geteuid() != 0) return {State::good, "user", "not root", ""};
  if (config.allow_root) return {State::good, "user", "root; jobs run as " + box::box_identity().name, ""};
  return {State::warning, "user", "root, which the server refuses to run as",
          "start it as an ordinary user, or set allow_root = true (--allow-root true)"};
}

bool anything_missing(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const auto& one) { return one.state == State::missing; });
}

json::object to_json(const std::vector<Finding>& findings) {
  constexpr std::array<std::string_view, 3> kStates{"ok", "warning", "missing"};
  json::array checks;
  for (const auto& one : findings) {
    json::object check{
        {"name", one.name}, {"state", kStates.at(static_cast<std::size_t>(one.state))}, {"detail", one.detail}};
    if (!one.remedy.empty()) check["remedy"] = one.remedy;
    checks.push_back(std::move(check));
  }
  return {{"ok", !anything_missing(findings)}, {"checks", std::move(checks)}};
}

}  // namespace rushes::app::cli
