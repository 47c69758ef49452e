#include "app/cli/program_output.h"

#include "base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

namespace rushes::app::cli {

Result<std::string> program_output(std::vector<std::string> command, std::chrono::milliseconds most) {
  constexpr std::size_t kMostBytes = 64UL << 10U;
  const auto name = command.at(0);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return Error(Errc::unavailable, "no pipe: " + std::string(std::strerror(errno)));
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);

  std::vector<char*> arguments;
  for (auto& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = 0;
  const int failed = ::posix_spawnp(&process, name.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return Error(failed == ENOENT ? Errc::not_found : Errc::unavailable,
                 "'" + name + "' cannot be started: " + std::strerror(failed));
  }
  writing.reset();

  std::string output;
  const auto until = std::chrono::steady_clock::now() + most;
  bool ended = false;
  while (!ended && output.size() < kMostBytes) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd wait{reading.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) break;
    std::array<char, 4096> bytes{};
    const auto got = ::read(reading.get(), bytes.data(), bytes.size());
    ended = got <= 0;
    if (got > 0) output.append(bytes.data(), static_cast<std::size_t>(got));
  }
  if (!ended) ::kill(process, SIGKILL);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) return Error(Errc::timed_out, "'" + name + "' did not end in time");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return Error(Errc::not_found, "'" + name + "' cannot be started");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return Error(Errc::unavailable, "'" + name + "' failed");
  return output;
}

}  // namespace rushes::app::cli
