#include "box/cgroup.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

namespace rushes::box {
namespace {

namespace fs = std::filesystem;

Result<void> write_text(const fs::path& path, const std::string& text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) return system_error("cannot write", path);
  return {};
}

/// Of this process; nothing without version 2.
std::optional<fs::path> own_group() {
  const auto text = read_file("/proc/self/cgroup", 64U << 10U);
  constexpr std::string_view kMark = "0::/";
  const auto at = text ? text->find(kMark) : std::string::npos;
  if (at == std::string::npos || (at > 0 && (*text)[at - 1] != '\n')) return std::nullopt;
  const auto from = at + kMark.size();
  const auto name = text->substr(from, text->find('\n', from) - from);
  // The root group is nobody's to delegate.
  if (name.empty()) return std::nullopt;
  return fs::path("/sys/fs/cgroup") / name;
}

}  // namespace

std::optional<Cgroup> Cgroup::find() {
  const auto group = own_group();
  if (!group || ::access((*group / "cgroup.procs").c_str(), W_OK) != 0) return std::nullopt;
  const auto controllers = read_file(*group / "cgroup.controllers", 4'096);
  if (!controllers || controllers->find("memory") == std::string::npos ||
      controllers->find("pids") == std::string::npos) {
    return std::nullopt;
  }
  // A group that has controllers for others may have no process of its own.
  std::error_code failed;
  fs::create_directory(*group / "server", failed);
  if (failed || !write_text(*group / "server/cgroup.procs", std::to_string(::getpid())) ||
      !write_text(*group / "cgroup.subtree_control", "+memory +pids")) {
    return std::nullopt;
  }
  return Cgroup(*group);
}

Result<Cgroup::Group> Cgroup::limit(pid_t pid, std::uint64_t memory_bytes, std::uint64_t processes) const {
  const auto folder = folder_ / ("box-" + std::to_string(pid));
  std::error_code failed;
  fs::create_directory(folder, failed);
  if (failed) return Error(Errc::unavailable, "cannot make " + folder.string() + ": " + failed.message());
  Group group(folder);
  if (auto set = write_text(folder / "memory.max", std::to_string(memory_bytes)); !set) return set.error();
  (void)write_text(folder / "memory.swap.max", "0");  // where there is swap
  if (auto set = write_text(folder / "pids.max", std::to_string(processes)); !set) return set.error();
  if (auto moved = write_text(folder / "cgroup.procs", std::to_string(pid)); !moved) return moved.error();
  return group;
}

bool Cgroup::Group::ran_out_of_memory() const {
  const auto events = read_file(folder_ / "memory.events", 4'096);
  constexpr std::string_view kMark = "oom_kill ";
  const auto at = events ? events->find(kMark) : std::string::npos;
  return at != std::string::npos && events->compare(at + kMark.size(), 1, "0") != 0;
}

Cgroup::Group::~Group() {
  if (!folder_.empty()) (void)::rmdir(folder_.c_str());
}

}  // namespace rushes::box
