#include "source/detail/child_process.h"

#include "base/file.h"

#include <climits>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace rushes::source::detail {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::size_t kMaxErrors = 64U << 10U;
constexpr std::size_t kMaxLine = 64U << 10U;

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("make a pipe for", "a child process");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// posix_spawn's two bags of settings.
class SpawnSettings {
 public:
  SpawnSettings(const Child& child, int output, int errors) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    if (!child.folder.empty()) ::posix_spawn_file_actions_addchdir_np(&actions_, child.folder.c_str());
    // A worker may block or ignore signals; its child must not inherit that.
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> c_strings(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  // execve takes char* for historical reasons and changes nothing.
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// What the child wrote, and whether it may go on.
class Collector {
 public:
  Collector(const Child& child, ChildResult& result) : child_(child), result_(result) {}

  /// False once there is too much of it.
  bool output(std::string_view bytes) {
    total_ += bytes.size();
    if (!child_.on_line) {
      if (total_ > child_.max_output) return false;
      result_.output += bytes;
      return true;
    }
    line_ += bytes;
    std::size_t end = 0;
    while ((end = line_.find('\n')) != std::string::npos) {
      child_.on_line(std::string_view(line_).substr(0, end));
      line_.erase(0, end + 1);
    }
    if (line_.size() > kMaxLine) line_.clear();
    return true;
  }

  void errors(std::string_view bytes) {
    result_.errors += bytes;
    if (result_.errors.size() > kMaxErrors) result_.errors.erase(0, result_.errors.size() - kMaxErrors);
  }

 private:
  const Child& child_;
  ChildResult& result_;
  std::size_t total_ = 0;
  std::string line_;
};

/// Reads until the child has ended, or has to.
ChildEnd watch(const Child& child, int process, Pipe& output, Pipe& errors, Collector& collector) {
  std::array<char, 64U << 10U> piece;
  std::array<pollfd, 3> watched{{{output.read.get(), POLLIN, 0}, {errors.read.get(), POLLIN, 0}, {process, POLLIN, 0}}};
  bool ended = false;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(child.deadline - Steady::now());
    if (!ended && left.count() <= 0) return ChildEnd::timed_out;
    // After its end only what is in the pipes is read: a grandchild might hold them open for ever.
    const int wait = ended ? 0 : static_cast<int>(std::min<std::int64_t>(left.count() + 1, INT_MAX));
    const int ready = ::poll(watched.data(), watched.size(), wait);
    if (ready < 0 && errno == EINTR) continue;
    bool read_some = false;
    for (std::size_t i = 0; i < 2; ++i) {
      if ((watched[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
      const auto count = ::read(watched[i].fd, piece.data(), piece.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        watched[i].fd = -1;  // closed; poll passes over it
        continue;
      }
      read_some = true;
      const std::string_view bytes(piece.data(), static_cast<std::size_t>(count));
      if (i == 1) {
        collector.errors(bytes);
      } else if (!collector.output(bytes)) {
        return ChildEnd::too_much_output;
      }
    }
    if (ended && !read_some) return ChildEnd::exited;
    if ((watched[2].revents & POLLIN) != 0) {
      ended = true;
      watched[2].fd = -1;
    }
  }
}

}  // namespace

Result<ChildResult> run_child(const Child& child) {
  auto output = make_pipe();
  if (!output) return output.error();
  auto errors = make_pipe();
  if (!errors) return errors.error();

  pid_t pid = -1;
  int failed = 0;
  {
    const SpawnSettings settings(child, output->write.get(), errors->write.get());
    const auto arguments = c_strings(child.arguments);
    const auto environment = c_strings(child.environment);
    failed = ::posix_spawnp(&pid, child.arguments[0].c_str(), &settings.actions_, &settings.attributes_,
                            arguments.data(), environment.data());
  }
  output->write.reset();
  errors->write.reset();
  if (failed != 0) {
    const auto code = failed == ENOENT || failed == EACCES || failed == ENOTDIR ? Errc::not_found : Errc::unavailable;
    return Error(code, "cannot run " + child.arguments[0] + ": " + std::strerror(failed));
  }

  ChildResult result;
  Collector collector(child, result);
  const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (process) result.end = watch(child, process.get(), *output, *errors, collector);
  const bool ended_by_us = !process || result.end != ChildEnd::exited;
  if (ended_by_us) ::kill(pid, SIGKILL);
  int status = 0;
  rusage used{};
  while (::wait4(pid, &status, 0, &used) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (WIFSIGNALED(status) && !ended_by_us) result.signal = WTERMSIG(status);
  result.processor_time = std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
  if (!process) return Error(Errc::unavailable, "cannot watch a child process: pidfd_open is not available");
  return result;
}

}  // namespace rushes::source::detail
