#include "net/websocket.h"

#include "net/ws_deflate.h"

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

/// 16 bytes in base64 (RFC 6455, 4.1).
bool is_nonce(std::string_view key) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return key.size() == 24 && key.ends_with("==") && key.find_first_not_of(kAlphabet) == key.size() - 2;
}

ssize_t send_parts(int fd, std::span<iovec> parts) {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (parts.size() == 1) return ::send(fd, parts[0].iov_base, parts[0].iov_len, kFlags);  // which costs the system less
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return ::sendmsg(fd, &message, kFlags);
}

std::int64_t steady_ns() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

}  // namespace

/// How long the peer may take to answer our close frame.
struct WebSocket::Goodbye final : Deadline {
  explicit Goodbye(WebSocket& leaving) : socket(leaving) {}
  void on_deadline() override { socket.end(WebSocketEnd::closed); }
  WebSocket& socket;
};

WebSocket::WebSocket(Loop& loop, FileDescriptor fd, AddressLease lease, const WebSocketOptions& options,
                     Listener& listener)
    : loop_(loop), fd_(std::move(fd)), lease_(std::move(lease)), options_(&options), listener_(&listener) {
  loop_.watch(fd_.get(), EPOLLIN, *this);
}

WebSocket::~WebSocket() { release(); }

void WebSocket::release() {
  loop_.forget_flush(*this);
  if (fd_) loop_.forget(fd_.get(), *this);
  fd_.reset();
  lease_ = AddressLease();
  if (goodbye_) loop_.timers().cancel(*goodbye_);  // which may be the one that calls
}

void WebSocket::accept(const WsHandshake& handshake) {
  send(Frame::raw(handshake.answer));
  deflate_ = handshake.deflate;
  if (deflate_) decoder_.allow_deflate();
}

void WebSocket::start(std::string buffered) {
  if (!buffered.empty()) decode(buffered);
}

void WebSocket::send(const FramePtr& frame) {
  if (ended_ || closing_ || overflowed_) return;
  const bool deflates = deflate_ && frame->payload().size() >= options_->deflate_from && !frame->is_raw();
  if (deflates) return send_as_is(frame->deflated());
  send_as_is(frame);
}

void WebSocket::send_as_is(const FramePtr& frame) {
  const bool waits = out_ && !out_->empty();
  const bool is_event = frame->made_at() != 0;
  const bool at_once = !waits && is_event && loop_.pace().may_write_now();
  // Most go out whole, and need no queue.
  const auto sent = at_once ? write_alone(*frame) : 0;
  if (at_once && sent == frame->wire().size()) return;
  if (!out_) out_ = loop_.take_queue();
  out_->push(frame, congested() ? options_->merge_above : OutQueue::kNever);
  if (at_once) {
    out_->written(sent, [](const Frame&) {});
    broken_ = overflowed_ = !write();
    if (!broken_) return;
  }
  if (waits && out_->bytes() > options_->max_backlog) {
    // Of a burst in one turn the system may take enough. It ends later, if it must: whoever sends to many must not
    // see one of them vanish under its hands.
    if (!awaits_writable_) broken_ = !write();
    overflowed_ = broken_ || backlog() > options_->max_backlog;
  }
  if (awaits_writable_ && !overflowed_) return;
  if (is_event && !overflowed_) {
    loop_.flush_with_others(*this);
  } else {
    loop_.flush_after_turn(*this);
  }
}

void WebSocket::on_flush() {
  if (ended_) return;
  if (overflowed_) {
    end(broken_ ? WebSocketEnd::closed : WebSocketEnd::too_slow);
  } else if (!write()) {
    end(WebSocketEnd::closed);
  }
}

std::size_t WebSocket::write_alone(const Frame& frame) {
  const auto wire = frame.wire();
  const auto sent = ::send(fd_.get(), wire.data(), wire.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return 0;
  auto& counts = loop_.counts();
  counts.writes.add(1);
  counts.bytes_out.add(static_cast<std::uint64_t>(sent));
  if (static_cast<std::size_t>(sent) == wire.size()) counts.emit_to_write.observe(steady_ns() - frame.made_at());
  return static_cast<std::size_t>(sent);
}

bool WebSocket::write() {
  auto& counts = loop_.counts();
  while (out_ && !out_->empty()) {
    std::array<iovec, kGathered> storage;
    const auto parts = out_->gather(storage);
    std::size_t total = 0;
    for (const auto& part : parts) total += part.iov_len;
    const auto sent = send_parts(fd_.get(), parts);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      return false;
    }
    counts.writes.add(1);
    counts.bytes_out.add(static_cast<std::uint64_t>(sent));
    const auto now = steady_ns();
    out_->written(static_cast<std::size_t>(sent), [&counts, now](const Frame& frame) {
      if (frame.made_at() != 0) counts.emit_to_write.observe(now - frame.made_at());
    });
    if (static_cast<std::size_t>(sent) < total) break;
  }
  const bool pending = out_ && !out_->empty();
  if (!pending && out_) loop_.give_back(std::move(out_));
  if (pending != awaits_writable_) {
    awaits_writable_ = pending;
    loop_.change(fd_.get(), pending ? EPOLLIN | EPOLLOUT : EPOLLIN, *this);
  }
  return true;
}

void WebSocket::on_events(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !write()) end(WebSocketEnd::closed);
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
  loop_.counts().bytes_in.add(static_cast<std::uint64_t>(got));
  decode(buffer.first(static_cast<std::size_t>(got)));
}

void WebSocket::decode(std::span<char> bytes) {
  if (!draining_ && decoder_.feed(bytes, options_->limits, *this) == WsDecoder::Outcome::failed) fail();
}

void WebSocket::fail() {
  loop_.counts().protocol_errors.add(1);
  // The peer may still be sending: to close now would reset the connection before it has read why.
  send(Frame::close(static_cast<std::uint16_t>(decoder_.failure()), {}));
  closing_ = true;
  draining_ = true;
  const bool reachable = write();
  if (reachable) ::shutdown(fd_.get(), SHUT_WR);
  if (!alone_) {
    listener_->on_end(WebSocketEnd::protocol_error);
  } else if (!reachable) {
    end(WebSocketEnd::closed);
  }
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
  if (ended_) return;
  (void)write();
  end(WebSocketEnd::closed);
}

void WebSocket::end(WebSocketEnd why) {
  if (std::exchange(ended_, true)) return;
  if (why == WebSocketEnd::too_slow) loop_.counts().too_slow.add(1);
  release();
  out_.reset();
  if (alone_) {
    loop_.let_go(*this);
  } else if (!draining_) {
    listener_->on_end(why);
  }
}

void WebSocket::finish(std::unique_ptr<WebSocket> socket, WsCloseCode code, std::string_view reason) {
  WebSocket& self = *socket;
  if (self.ended_) {
    self.loop_.dispose_later(std::move(socket));
    return;
  }
  self.send(Frame::close(static_cast<std::uint16_t>(code), reason));  // nothing, where one is on its way
  self.closing_ = true;
  self.goodbye_ = std::make_unique<Goodbye>(self);
  self.loop_.timers().set(*self.goodbye_, kGoodbye);
  self.alone_ = true;
  self.loop_.adopt(std::move(socket));
}

Result<WsHandshake> websocket_handshake(const Request& request, const WebSocketOptions& options) {
  const auto refuse = [](const char* why) {
    return Error::for_user(Errc::malformed, "BAD_HANDSHAKE", std::string("This WebSocket handshake ") + why + ".");
  };
  if (request.method != "GET") return refuse("is not a GET");
  if (!request.headers.has_token("Upgrade", "websocket")) return refuse("does not ask for `websocket`");
  if (request.headers.get("Sec-WebSocket-Version") != "13") return refuse("is not of version 13");
  const auto key = request.headers.get("Sec-WebSocket-Key");
  for (const auto* name : {"Sec-WebSocket-Key", "Sec-WebSocket-Version"}) {
    if (request.headers.count(name) > 1) return refuse("says a thing twice");
  }
  if (!is_nonce(key)) return refuse("has no valid key");
  WsHandshake handshake;
  handshake.answer =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
      ws_accept_key(key) + "\r\n";
  if (options.deflate) {
    if (const auto agreed = accept_ws_deflate(request.headers.get("Sec-WebSocket-Extensions"))) {
      handshake.deflate = true;
      handshake.answer.append("Sec-WebSocket-Extensions: ").append(*agreed).append("\r\n");
    }
  }
  handshake.answer += "\r\n";
  return handshake;
}

}  // namespace rushes::net
