#include "box/output_tail.h"

#include "base/text.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace rushes::box {

struct OutputTail::State {
  State(const Executor& executor, int pipe) : output(executor, pipe), pause(executor) {}

  enum class More : std::uint8_t { none_now, at_once, never };

  /// As much as a pipe holds, and no more: its writer may be as quick as we are.
  More read_some() {
    constexpr std::size_t kPipe = 64U << 10U;
    std::array<char, kKept> piece{};
    for (std::size_t read = 0; read < kPipe;) {
      const auto got = ::read(output.native_handle(), piece.data(), piece.size());
      if (got < 0) return errno == EAGAIN || errno == EINTR ? More::none_now : More::never;
      if (got == 0) return More::never;
      read += static_cast<std::size_t>(got);
      take(piece.data(), static_cast<std::size_t>(got));
    }
    return More::at_once;
  }

  void take(char* bytes, std::size_t count) {
    const auto hostile = [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
    };
    std::replace_if(bytes, bytes + count, hostile, '?');
    const std::string_view text(bytes, count);
    pass_on(text.substr(0, kPassedOn - std::min(kPassedOn, passed_on)));
    kept += text;
    if (kept.size() > 2 * kKept) kept.erase(0, kept.size() - kKept);
  }

  /// Marks each line, so that none can pass for one of the server's own.
  void pass_on(std::string_view text) {
    std::string marked;
    for (const char c : text) {
      if (std::exchange(at_start, c == '\n')) marked += "box| ";
      marked += c;
    }
    passed_on += text.size();
    // A log that cannot be written is no reason to stop the work.
    (void)!::write(STDERR_FILENO, marked.data(), marked.size());
  }

  asio::posix::stream_descriptor output;
  asio::steady_timer pause;
  std::string kept;
  std::size_t passed_on = 0;
  bool at_start = true;  // of a line
};

OutputTail::OutputTail(const Executor& executor, FileDescriptor pipe) {
  ::fcntl(pipe.get(), F_SETFL, O_NONBLOCK);
  state_ = std::make_shared<State>(executor, pipe.release());
  spawn_detached(executor, "box", follow(state_));
}

OutputTail::~OutputTail() {
  state_->read_some();
  state_->output.close();
  state_->pause.cancel();
}

Task<> OutputTail::follow(std::shared_ptr<State> state) {
  constexpr std::chrono::milliseconds kPause{20};
  boost::system::error_code failed;
  while (state->output.is_open()) {
    co_await state->output.async_wait(asio::posix::stream_descriptor::wait_read,
                                      asio::redirect_error(asio::use_awaitable, failed));
    if (failed) break;
    const auto more = state->read_some();
    if (more == State::More::never) break;
    if (more == State::More::none_now) continue;
    state->pause.expires_after(kPause);
    co_await state->pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
  }
}

std::string OutputTail::text() {
  state_->read_some();
  auto text = state_->kept;
  if (text.size() > kKept) {
    text.erase(0, text.size() - kKept);
    text.erase(0, text.find('\n') + 1);
  }
  if (is_utf8(text)) return text;
  std::replace_if(
      text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) >= 0x80; }, '?');
  return text;
}

}  // namespace rushes::box
