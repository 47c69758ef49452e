#include "worker/output_tail.h"

#include "base/text.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace rushes::worker {

struct OutputTail::State {
  explicit State(const Executor& executor, int pipe) : output(executor, pipe) {}

  /// False at the end of it.
  bool read_all() {
    std::array<char, kKept> piece{};
    for (;;) {
      const auto got = ::read(output.native_handle(), piece.data(), piece.size());
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      if (got == 0) return false;
      const std::string_view text(piece.data(), static_cast<std::size_t>(got));
      // A log that cannot be written is no reason to stop the work.
      (void)!::write(STDERR_FILENO, text.data(), text.size());
      kept += text;
      if (kept.size() > 2 * kKept) kept.erase(0, kept.size() - kKept);
    }
  }

  asio::posix::stream_descriptor output;
  std::string kept;
};

OutputTail::OutputTail(const Executor& executor, FileDescriptor pipe) {
  ::fcntl(pipe.get(), F_SETFL, O_NONBLOCK);
  state_ = std::make_shared<State>(executor, pipe.release());
  spawn_detached(executor, "worker", follow(state_));
}

OutputTail::~OutputTail() {
  state_->read_all();
  state_->output.close();
}

Task<> OutputTail::follow(std::shared_ptr<State> state) {
  boost::system::error_code failed;
  do {
    co_await state->output.async_wait(asio::posix::stream_descriptor::wait_read,
                                      asio::redirect_error(asio::use_awaitable, failed));
  } while (!failed && state->read_all());
}

void OutputTail::clear() {
  state_->read_all();
  state_->kept.clear();
}

std::string OutputTail::text() {
  state_->read_all();
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

}  // namespace rushes::worker
