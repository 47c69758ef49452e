// Runs a program under the settings of a systemd unit, where systemd is not there to do it:
//
//   rushes_under_unit SETTINGS DATA PROGRAM [ARGUMENTS…]
//
// SETTINGS: a file of lines `Directive=value`, groups of system calls spelled out. A directive that is not known here
// is an error: nothing of the unit is left out unseen. DATA: its state directory. PROGRAM becomes /mnt/rushes. Start it
// with the rights to mount in a mount namespace of its own. The rules are systemd 252's (systemd.exec(5),
// src/shared/seccomp-util.c, src/core/namespace.c).

#include "under_unit.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr unsigned kUser = 4000;
constexpr const char* kProgram = "/mnt/rushes";

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "under_unit: " << what << (errno != 0 ? std::string(": ") + std::strerror(errno) : "") << std::endl;
  std::exit(64);
}

}  // namespace

void must(bool done, const std::string& what) {
  if (!done) fail(what);
}

std::set<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::set<std::string> words;
  for (std::string word; in >> word;) words.insert(word);
  return words;
}

namespace {

Settings read_settings(const char* file) {
  std::ifstream in(file);
  Settings settings;
  for (std::string line; std::getline(in, line);) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) settings[line.substr(0, equals)] = line.substr(equals + 1);
  }
  must(!settings.empty(), file);
  return settings;
}

// --- files -----------------------------------------------------------------------------------------------------------

void set_attributes(const char* path, std::uint64_t set, std::uint64_t clear, bool below) {
  mount_attr attributes{};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  const unsigned flags = below ? static_cast<unsigned>(AT_RECURSIVE) : 0;
  must(::mount_setattr(AT_FDCWD, path, flags, &attributes, sizeof attributes) == 0, path);
}

int take(const std::string& path) {
  const int tree =
      ::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_RECURSIVE));
  must(tree >= 0, path);
  return tree;
}

void put(int tree, const std::string& path) {
  must(::move_mount(tree, "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0, path);
  ::close(tree);
}

void mount_empty(const char* path, const char* mode) {
  if (fs::is_directory(path)) {
    must(::mount("unit", path, "tmpfs", MS_NOSUID | MS_NODEV, (std::string("mode=") + mode).c_str()) == 0, path);
  }
}

void hide(const char* path) {
  mount_empty(path, "0");
  if (fs::is_directory(path)) set_attributes(path, MOUNT_ATTR_RDONLY, 0, false);
}

void own_devices() {
  std::map<std::string, int> devices;
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    devices[name] = take(std::string("/dev/") + name);
  }
  must(::mount("unit", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755") == 0, "/dev");
  for (const auto& [name, tree] : devices) {
    const auto path = "/dev/" + name;
    must(std::ofstream(path).good(), path);
    put(tree, path);
  }
  set_attributes("/dev", MOUNT_ATTR_RDONLY, 0, false);
}

class Files {
 public:
  Files(const Settings& settings, const char* data, const char* program)
      : settings_(settings), data_(data), program_(program) {}

  void arrange() {
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
    const int data = take(data_);
    const int program = take(program_);
    if (has("PrivateTmp", "yes")) {
      mount_empty("/tmp", "1777");
      mount_empty("/var/tmp", "1777");
    }
    mount_empty("/mnt", "755");
    must(std::ofstream(kProgram).good(), kProgram);
    put(program, kProgram);
    fs::create_directories(data_);
    put(data, data_);
    if (has("ProtectHome", "yes")) {
      for (const char* path : {"/home", "/root", "/run/user"}) hide(path);
    }
    if (has("ProtectKernelModules", "yes")) hide("/usr/lib/modules");
    if (has("PrivateDevices", "yes")) own_devices();
    if (has("ProtectSystem", "strict")) {
      set_attributes("/", MOUNT_ATTR_RDONLY, 0, true);
      for (const char* path : {"/proc", "/dev"}) set_attributes(path, 0, MOUNT_ATTR_RDONLY, false);
      if (has("PrivateTmp", "yes")) set_attributes("/tmp", 0, MOUNT_ATTR_RDONLY, false);
      set_attributes(data_, 0, MOUNT_ATTR_RDONLY, false);
    }
    // ProtectSystem= has left /sys read-only here, as ProtectKernelTunables= and ProtectControlGroups= want it.
    arrange_proc();
  }

 private:
  bool has(const char* directive, const char* value) const {
    const auto found = settings_.find(directive);
    return found != settings_.end() && found->second == value;
  }

  void arrange_proc() const {
    std::string options = has("ProcSubset", "pid") ? "subset=pid" : "";
    if (const auto found = settings_.find("ProtectProc"); found != settings_.end() && found->second != "default") {
      options += (options.empty() ? "hidepid=" : ",hidepid=") + found->second;
    }
    if (!options.empty()) {
      must(::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()) == 0,
           "/proc " + options);
    } else if (has("ProtectKernelTunables", "yes")) {
      must(::mount("/proc/sys", "/proc/sys", nullptr, MS_BIND | MS_REC, nullptr) == 0, "/proc/sys");
      set_attributes("/proc/sys", MOUNT_ATTR_RDONLY, 0, true);
    }
  }

  const Settings& settings_;
  const char* data_;
  const char* program_;
};

// --- identity --------------------------------------------------------------------------------------------------------

void write_text(const char* path, const std::string& text) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  must(file >= 0 && ::write(file, text.data(), text.size()) >= 0, path);
  ::close(file);
}

void become_user(const Settings& settings) {
  // In a lab of an ordinary user there is no other user to become before the user namespace.
  if (::geteuid() == 0 && ::setgroups(0, nullptr) == 0) {
    ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    must(::setresgid(kUser, kUser, kUser) == 0 && ::setresuid(kUser, kUser, kUser) == 0, "uid 4000");
  }
  if (settings.contains("PrivateUsers") || ::geteuid() != kUser) {
    const auto outside_user = std::to_string(::geteuid());
    const auto outside_group = std::to_string(::getegid());
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    must(::unshare(CLONE_NEWUSER) == 0, "user namespace");
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", std::to_string(kUser) + " " + outside_user + " 1");
    write_text("/proc/self/gid_map", std::to_string(kUser) + " " + outside_group + " 1");
  }
  if (settings.contains("CapabilityBoundingSet")) {
    for (unsigned long one = 0; ::prctl(PR_CAPBSET_READ, one, 0, 0, 0) >= 0; ++one) {
      must(::prctl(PR_CAPBSET_DROP, one, 0, 0, 0) == 0, "capabilities");
    }
  }
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> none{};
  must(::syscall(SYS_capset, &head, none.data()) == 0, "capabilities");
}

// --- the rest -------------------------------------------------------------------------------------------------------

void set_others(const Settings& settings) {
  if (const auto found = settings.find("UMask"); found != settings.end()) {
    ::umask(static_cast<mode_t>(std::stoul(found->second, nullptr, 8)));
  }
  if (const auto found = settings.find("LimitNOFILE"); found != settings.end()) {
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    const auto wanted = std::min<rlim_t>(std::stoul(found->second), now.rlim_max);
    const rlimit both{wanted, wanted};
    must(::setrlimit(RLIMIT_NOFILE, &both) == 0, "LimitNOFILE");
  }
}

void check_known(const Settings& settings) {
  static const std::set<std::string> kApplied{"AmbientCapabilities",
                                              "CapabilityBoundingSet",
                                              "LimitNOFILE",
                                              "LockPersonality",
                                              "MemoryDenyWriteExecute",
                                              "NoNewPrivileges",
                                              "PrivateDevices",
                                              "PrivateMounts",
                                              "PrivateTmp",
                                              "PrivateUsers",
                                              "ProcSubset",
                                              "ProtectClock",
                                              "ProtectHome",
                                              "ProtectHostname",
                                              "ProtectKernelLogs",
                                              "ProtectKernelModules",
                                              "ProtectKernelTunables",
                                              "ProtectProc",
                                              "ProtectControlGroups",
                                              "ProtectSystem",
                                              "RestrictAddressFamilies",
                                              "RestrictNamespaces",
                                              "RestrictRealtime",
                                              "RestrictSUIDSGID",
                                              "SystemCallFilter",
                                              "UMask"};
  for (const auto& [name, value] : settings) {
    errno = 0;
    if (!kApplied.contains(name)) fail("do not know how to apply " + name + "=" + value);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) fail("usage: rushes_under_unit SETTINGS DATA PROGRAM [ARGUMENTS…]");
  const auto settings = read_settings(words[1]);
  check_known(settings);
  Files(settings, words[2], words[3]).arrange();
  if (::chdir("/") != 0) fail("/");
  become_user(settings);
  set_others(settings);
  filter_calls(settings);
  words[3] = const_cast<char*>(kProgram);
  ::execv(kProgram, words + 3);
  fail(kProgram);
}
