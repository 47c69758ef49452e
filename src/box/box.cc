#include "box/box.h"

#include "box/channel.h"
#include "box/detail/messages.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace rushes::box {
namespace {

constexpr std::chrono::milliseconds kPoll{1};
constexpr std::chrono::milliseconds kOwnEnd{200};

std::string describe_exit(int status) {
  if (WIFSIGNALED(status)) {
    return "signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

// Whether anything of the group still runs: a host without pid namespaces. What a dead process left behind becomes the
// server's own child, since that is a subreaper.
bool group_is_alive(pid_t group) noexcept {
  while (::waitpid(-group, nullptr, WNOHANG) > 0) {
  }
  return ::kill(-group, 0) == 0 || errno == EPERM;
}

}  // namespace

Box::Box(const Executor& executor, Parts parts)
    : pid_(parts.pid),
      exited_(executor, parts.pidfd.release()),
      socket_(executor, asio::local::stream_protocol(), parts.channel.release()),
      output_(executor, std::move(parts.output)) {}

Box::~Box() {
  if (reaped_) return;
  kill();
  ::waitpid(pid_, nullptr, 0);
}

Task<Result<void>> Box::become_ready() {
  auto message = co_await detail::async_receive_message(socket_);
  if (!message) co_return message.error();
  if (message->text != "ready" || message->descriptors.empty()) {
    const auto why = message->text.empty() ? std::string("it ended") : message->text;
    co_return Error(Errc::unavailable, "box: cannot be made: " + why);
  }
  scratch_ = std::move(message->descriptors[0]);
  if (message->descriptors.size() > 1) door_ = std::move(message->descriptors[1]);
  co_return Result<void>();
}

Task<Result<void>> Box::send(std::string message) {
  const auto length = encode_length(message.size());
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(length), asio::buffer(message)};
  boost::system::error_code failed;
  co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return Error(Errc::unavailable, "box: " + failed.message());
  co_return Result<void>();
}

Task<Result<std::string>> Box::receive() {
  boost::system::error_code failed;
  std::array<char, kLengthBytes> head{};
  co_await asio::async_read(socket_, asio::buffer(head), asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return Error(Errc::unavailable, "box: " + failed.message());
  const auto length = decode_length({head.data(), head.size()}, kMaxAnswerBytes);
  if (!length) co_return length.error();
  std::string text(*length, '\0');
  co_await asio::async_read(socket_, asio::buffer(text), asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return Error(Errc::unavailable, "box: " + failed.message());
  co_return text;
}

bool Box::has_exited() const noexcept {
  siginfo_t end{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == pid_;
}

void Box::kill() noexcept {
  if (reaped_) return;
  // The first process of a pid namespace takes all others with it; the group is for hosts without.
  ::kill(pid_, SIGKILL);
  ::kill(-pid_, SIGKILL);
}

Task<BoxExit> Box::reap() {
  // A moment for a process that is ending by itself, so that its own reason is seen, not our signal.
  for (auto waited = kPoll; waited < kOwnEnd && !has_exited(); waited += kPoll) co_await sleep_for(kPoll);
  kill();
  boost::system::error_code failed;
  co_await exited_.async_wait(asio::posix::stream_descriptor::wait_read,
                              asio::redirect_error(asio::use_awaitable, failed));
  // Until it is waited for, its number is given to no other.
  kill();
  int status = 0;
  rusage used{};
  ::wait4(pid_, &status, 0, &used);
  while (group_is_alive(pid_)) co_await sleep_for(kPoll);
  reaped_ = true;
  const auto length = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  const auto time = std::chrono::round<std::chrono::milliseconds>(length(used.ru_utime) + length(used.ru_stime));
  co_return BoxExit{describe_exit(status), time};
}

}  // namespace rushes::box
