#include "net/websocket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace rushes::net {
namespace {

constexpr std::chrono::milliseconds kGoodbye{2'000};
constexpr std::size_t kGathered = 64;  // frames in one write

}  // namespace

WebSocket::WebSocket(Loop& loop, FileDescriptor fd, const WebSocketOptions& options, Listener& listener)
    : loop_(loop), fd_(std::move(fd)), options_(&options), listener_(&listener) {
  loop_.watch(fd_.get(), EPOLLIN, *this);
}

WebSocket::~WebSocket() { release(); }

void WebSocket::release() {
  if (dirty_) loop_.forget_flush(*this);
  dirty_ = false;
  if (fd_) loop_.forget(fd_.get(), *this);
  fd_.reset();
  loop_.timers().cancel(*this);
}

void WebSocket::start(std::string buffered) {
  if (!buffered.empty()) decode(buffered);
}

void WebSocket::send(FramePtr frame) {
  if (ended_ || closing_) return;
  if (!out_) out_ = std::make_unique<OutQueue>();
  out_->bytes += frame->wire().size();
  if (out_->bytes > options_->max_backlog && out_->frames.size() > out_->first) {
    overflowed_ = true;
  } else {
    out_->frames.push_back(std::move(frame));
  }
  if (!dirty_ && (!awaits_writable_ || overflowed_)) {
    dirty_ = true;
    loop_.flush_later(*this);
  }
}

void WebSocket::on_flush() {
  dirty_ = false;
  if (ended_) return;
  if (overflowed_) {
    end(WebSocketEnd::too_slow);
    return;
  }
  write();
}

void WebSocket::write() {
  while (out_ && out_->first < out_->frames.size()) {
    std::array<iovec, kGathered> parts;
    std::size_t count = 0;
    std::size_t total = 0;
    std::size_t skip = out_->offset;
    for (std::size_t i = out_->first; i < out_->frames.size() && count < parts.size(); ++i) {
      auto wire = out_->frames[i]->wire();
      wire.remove_prefix(std::exchange(skip, 0));
      parts[count++] = iovec{const_cast<char*>(wire.data()), wire.size()};
      total += wire.size();
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const auto sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      end(WebSocketEnd::closed);
      return;
    }
    auto left = static_cast<std::size_t>(sent);
    out_->bytes -= left;
    while (left > 0) {
      const auto rest = out_->frames[out_->first]->wire().size() - out_->offset;
      if (left < rest) {
        out_->offset += left;
        break;
      }
      left -= rest;
      out_->offset = 0;
      out_->frames[out_->first++].reset();
    }
    if (static_cast<std::size_t>(sent) < total) break;
  }
  const bool pending = out_ && out_->first < out_->frames.size();
  if (!pending) {
    out_.reset();
  } else if (out_->first > kGathered && out_->first * 2 > out_->frames.size()) {
    out_->frames.erase(out_->frames.begin(), out_->frames.begin() + static_cast<std::ptrdiff_t>(out_->first));
    out_->first = 0;
  }
  if (pending != awaits_writable_) {
    awaits_writable_ = pending;
    loop_.change(fd_.get(), pending ? EPOLLIN | EPOLLOUT : EPOLLIN, *this);
  }
}

void WebSocket::on_events(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) write();
  if (!ended_ && (events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read();
}

void WebSocket::read() {
  const auto buffer = loop_.read_buffer();
  const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return;
    end(WebSocketEnd::closed);
    return;
  }
  if (got == 0) {
    end(WebSocketEnd::closed);
    return;
  }
  decode(buffer.first(static_cast<std::size_t>(got)));
}

void WebSocket::decode(std::span<char> bytes) {
  if (decoder_.feed(bytes, options_->limits, *this) != WsDecoder::Outcome::failed) return;
  // The peer learns why before it is cut.
  send(Frame::close(static_cast<std::uint16_t>(decoder_.failure()), {}));
  write();
  if (!ended_) end(WebSocketEnd::protocol_error);
}

bool WebSocket::on_ws_message(bool binary, std::string_view payload) {
  if (!closing_) listener_->on_message(binary, payload);
  return !ended_;
}

bool WebSocket::on_ws_ping(std::string_view payload) {
  send(Frame::pong(payload));
  return !ended_;
}

void WebSocket::on_ws_close(std::uint16_t code, std::string_view) {
  send(Frame::close(code == 1005 ? 1000 : code, {}));
  if (!ended_) write();
  if (!ended_) end(WebSocketEnd::closed);
}

void WebSocket::end(WebSocketEnd why) {
  if (std::exchange(ended_, true)) return;
  release();
  out_.reset();
  if (alone_) {
    loop_.let_go(*this);
  } else {
    listener_->on_end(why);
  }
}

void WebSocket::on_deadline() { end(WebSocketEnd::closed); }

void WebSocket::finish(std::unique_ptr<WebSocket> socket, WsCloseCode code, std::string_view reason) {
  WebSocket& self = *socket;
  if (self.ended_) {
    self.loop_.dispose_later(std::move(socket));
    return;
  }
  self.send(Frame::close(static_cast<std::uint16_t>(code), reason));
  self.closing_ = true;
  self.loop_.timers().set(self, kGoodbye);
  self.alone_ = true;
  self.loop_.adopt(std::move(socket));
}

Result<std::string> websocket_handshake(const Request& request) {
  const auto refuse = [](const char* why) {
    return Error::for_user(Errc::malformed, "BAD_HANDSHAKE", std::string("This WebSocket handshake ") + why + ".");
  };
  if (request.method != "GET") return refuse("is not a GET");
  if (!request.headers.has_token("Upgrade", "websocket")) return refuse("does not ask for `websocket`");
  if (request.headers.get("Sec-WebSocket-Version") != "13") return refuse("is not of version 13");
  const auto key = request.headers.get("Sec-WebSocket-Key");
  if (key.size() != 24 || !key.ends_with("==")) return refuse("has no valid key");
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         ws_accept_key(key) + "\r\n\r\n";
}

}  // namespace rushes::net
