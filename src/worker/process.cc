#include "worker/process.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace rushes::worker {
namespace {

constexpr std::chrono::milliseconds kGroupPoll{5};
constexpr std::chrono::milliseconds kOwnEnd{200};

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string describe_exit(int status) {
  if (WIFSIGNALED(status)) {
    return "signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

// Whether anything of the group still runs. What it left behind is ours to bury: the server is a
// subreaper, so children of a dead worker become its own.
bool group_is_alive(pid_t group) noexcept {
  while (::waitpid(-group, nullptr, WNOHANG) > 0) {
  }
  return ::kill(-group, 0) == 0 || errno == EPERM;
}

}  // namespace

Result<std::unique_ptr<Process>> Process::start(const Executor& executor, const ProcessOptions& options) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return system_error("cannot make a socket pair for", options.program);
  }
  FileDescriptor ours(pair[0]);
  const FileDescriptor theirs(pair[1]);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe for", options.program);
  FileDescriptor output(pipe[0]);
  const FileDescriptor errors(pipe[1]);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, errors.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), kWorkerFd);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, kWorkerFd + 1);
  sigset_t none;
  ::sigemptyset(&none);
  sigset_t all;
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> arguments{options.program.string()};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  auto environment = options.environment;
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, options.program.c_str(), &actions, &attributes, pointers_to(arguments).data(),
                                   pointers_to(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    errno = failed;
    return Error(Errc::unavailable, system_error("cannot start", options.program).what());
  }

  // The header of glibc 2.36 declares pidfd_open for C only.
  FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const auto error = system_error("cannot watch", options.program);
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return error;
  }
  asio::local::stream_protocol::socket socket(executor, asio::local::stream_protocol(), ours.release());
  return std::unique_ptr<Process>(new Process(pid, std::move(pidfd), std::move(socket), std::move(output)));
}

Process::Process(pid_t pid, FileDescriptor pidfd, asio::local::stream_protocol::socket socket, FileDescriptor output)
    : pid_(pid),
      exited_(socket.get_executor(), pidfd.release()),
      socket_(std::move(socket)),
      output_(socket_.get_executor(), std::move(output)) {}

Process::~Process() {
  if (reaped_) return;
  kill();
  ::waitpid(pid_, nullptr, 0);
}

Task<Result<void>> Process::send(std::string message) {
  const auto length = encode_length(message.size());
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(length), asio::buffer(message)};
  boost::system::error_code failed;
  co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return Error(Errc::unavailable, "worker: " + failed.message());
  co_return Result<void>();
}

Task<Result<FromWorker>> Process::receive() {
  boost::system::error_code failed;
  std::array<char, kLengthBytes> head{};
  co_await asio::async_read(socket_, asio::buffer(head), asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return Error(Errc::unavailable, "worker: " + failed.message());
  const auto length = decode_length({head.data(), head.size()});
  if (!length) co_return length.error();
  std::string text(*length, '\0');
  co_await asio::async_read(socket_, asio::buffer(text), asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return Error(Errc::unavailable, "worker: " + failed.message());
  co_return decode_from_worker(text);
}

bool Process::has_exited() const noexcept {
  siginfo_t end{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == pid_;
}

void Process::kill() noexcept {
  if (!reaped_) ::kill(-pid_, SIGKILL);
}

Task<std::string> Process::reap() {
  // A moment for a worker that is ending by itself, so that its own reason is seen, not our signal.
  for (auto waited = kGroupPoll; waited < kOwnEnd && !has_exited(); waited += kGroupPoll) {
    co_await sleep_for(kGroupPoll);
  }
  kill();
  boost::system::error_code failed;
  co_await exited_.async_wait(asio::posix::stream_descriptor::wait_read,
                              asio::redirect_error(asio::use_awaitable, failed));
  // Until it is waited for, the dead leader keeps its number from being given to another.
  kill();
  int status = 0;
  ::waitpid(pid_, &status, 0);
  while (group_is_alive(pid_)) co_await sleep_for(kGroupPoll);
  reaped_ = true;
  co_return describe_exit(status);
}

}  // namespace rushes::worker
