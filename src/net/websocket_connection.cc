#include "net/websocket_connection.h"

#include <boost/asio/post.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace rushes::net {
namespace {

constexpr std::size_t kReadBuffer = std::size_t{64} << 10U;
constexpr std::size_t kGather = 64;  // frames in one write

// One a thread: connections borrow it while they read.
std::span<char> read_buffer() {
  thread_local std::vector<char> buffer(kReadBuffer);
  return buffer;
}

}  // namespace

WebSocketConnection::WebSocketConnection(asio::ip::tcp::socket socket, WebSocketLimits limits)
    : socket_(std::move(socket)), limits_(limits), decoder_(limits.max_message) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

void WebSocketConnection::start(Owner& owner, std::string leftover) {
  owner_ = &owner;
  const auto self = shared_from_this();
  if (!leftover.empty() && !take(leftover)) return;
  wait_readable();
}

void WebSocketConnection::wait_readable() {
  if (ended_) return;
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](boost::system::error_code failed) {
    if (failed) {
      self->end("transport error");
    } else {
      self->on_readable();
    }
  });
}

void WebSocketConnection::on_readable() {
  if (ended_) return;
  const auto buffer = read_buffer();
  const auto got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
  if (got == 0) return end("transport close");
  if (got < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return wait_readable();
    return end("transport error");
  }
  if (take(buffer.first(static_cast<std::size_t>(got)))) wait_readable();
}

bool WebSocketConnection::take(std::span<char> bytes) {
  const auto violation = decoder_.feed(
      bytes, [this](WebSocketOpcode opcode, std::string_view payload) { return on_frame(opcode, payload); });
  if (violation) {
    log::debug("websocket", "closed: {}", violation->why);
    close(violation->close);
    return false;
  }
  return !ended_ && !closing_;
}

bool WebSocketConnection::on_frame(WebSocketOpcode opcode, std::string_view payload) {
  switch (opcode) {
    case WebSocketOpcode::text:
    case WebSocketOpcode::binary:
      if (owner_ != nullptr) owner_->on_message(payload, opcode == WebSocketOpcode::binary);
      break;
    case WebSocketOpcode::ping:
      send(std::make_shared<const std::string>(encode_frame(WebSocketOpcode::pong, payload)));
      break;
    case WebSocketOpcode::close:
      close(close_code::kNormal);
      break;
    default:
      break;
  }
  return !ended_ && !closing_;
}

void WebSocketConnection::send(SharedBytes frames) {
  if (ended_ || closing_) return;
  backlog_ += frames->size();
  queue_.push_back(std::move(frames));
  if (backlog_ > limits_.max_backlog) {
    // It is behind by more than it may be; what is queued would not arrive in time either.
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->end("too slow"); });
    closing_ = true;
    return;
  }
  schedule_flush();
}

void WebSocketConnection::close(std::uint16_t code) {
  if (ended_ || closing_) return;
  send(std::make_shared<const std::string>(encode_close(code)));
  closing_ = true;
}

void WebSocketConnection::schedule_flush() {
  if (flush_scheduled_ || waiting_writable_) return;
  flush_scheduled_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->flush_scheduled_ = false;
    self->flush();
  });
}

void WebSocketConnection::flush() {
  while (!ended_ && !queue_.empty()) {
    std::array<iovec, kGather> pieces{};
    std::size_t count = 0;
    for (const auto& frames : queue_) {
      if (count == kGather) break;
      const auto skip = count == 0 ? sent_of_first_ : 0;
      pieces[count++] = {const_cast<char*>(frames->data()) + skip, frames->size() - skip};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return end("transport error");
      waiting_writable_ = true;
      socket_.async_wait(asio::ip::tcp::socket::wait_write,
                         [self = shared_from_this()](boost::system::error_code failed) {
                           self->waiting_writable_ = false;
                           if (failed) {
                             self->end("transport error");
                           } else {
                             self->flush();
                           }
                         });
      return;
    }
    backlog_ -= static_cast<std::size_t>(sent);
    sent_of_first_ += static_cast<std::size_t>(sent);
    while (!queue_.empty() && sent_of_first_ >= queue_.front()->size()) {
      sent_of_first_ -= queue_.front()->size();
      queue_.pop_front();
    }
  }
  if (closing_ && queue_.empty()) end("closed");
}

void WebSocketConnection::end(std::string_view why) {
  if (ended_) return;
  ended_ = true;
  queue_.clear();
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  socket_.close(ignored);
  if (owner_ != nullptr) std::exchange(owner_, nullptr)->on_closed(why);
}

}  // namespace rushes::net
