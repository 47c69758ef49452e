#include "engineio/session.h"

#include <array>
#include <utility>

namespace rushes::engineio {
namespace {

// How long a closed polling session waits for the poll that fetches its last packets.
constexpr std::chrono::milliseconds kLastPoll{5'000};

}  // namespace

std::string_view to_text(CloseReason reason) {
  static constexpr std::array<std::string_view, 6> kTexts{"transport close", "transport error", "ping timeout",
                                                          "parse error",     "forced close",    "server shutting down"};
  return kTexts[static_cast<std::size_t>(reason)];
}

/// A WebSocket that offers to carry a polling session: `2probe`, `3probe`, then `5`.
class Session::Probe final : public net::WebSocket::Listener, public net::Deadline {
 public:
  explicit Probe(Session& session) : session_(session) {}

  std::unique_ptr<net::WebSocket> socket;

 private:
  void on_message(bool binary, std::string_view payload) override {
    if (!binary && !probed_ && payload == "2probe") {
      probed_ = true;
      socket->send(net::Frame::text("3probe"));
      // The client stops polling and says `5` once its last poll has returned.
      if (session_.poll_ != nullptr) session_.answer_poll("6");
    } else if (!binary && probed_ && payload == "5") {
      session_.complete_upgrade();
    } else {
      session_.drop_probe();
    }
  }
  void on_end(net::WebSocketEnd) override { session_.drop_probe(); }
  void on_deadline() override {
    session_.shard_.counts.upgrades_late.add(1);
    session_.drop_probe();
  }

  Session& session_;
  bool probed_ = false;

  friend class Session;
};

std::string_view SidOf::operator()(const Session& session) const noexcept { return session.sid(); }

SessionShard::~SessionShard() {
  for (auto* session : sessions) delete session;
}

Session::Session(SessionShard& shard, const Options& options, std::string_view sid)
    : shard_(shard), options_(options), sid_(sid.data(), sid.size()) {}

Session::~Session() = default;

std::string Session::open_packet(bool upgradable) const {
  return "0{\"sid\":\"" + std::string(sid()) + "\",\"upgrades\":[" + (upgradable ? "\"websocket\"" : "") +
         "],\"pingInterval\":" + std::to_string(options_.ping_interval.count()) +
         ",\"pingTimeout\":" + std::to_string(options_.ping_timeout.count()) +
         ",\"maxPayload\":" + std::to_string(options_.max_payload) + "}";
}

void Session::open_polling(std::shared_ptr<SessionHandler> handler) {
  handler_ = std::move(handler);
  shard_.counts.opened_polling.add(1);
  send(net::Frame::text(open_packet(options_.websocket)));
  shard_.loop->timers().set(*this, options_.ping_interval);
}

void Session::open_websocket(net::DetachedSocket socket, const net::WsHandshake& handshake,
                             std::shared_ptr<SessionHandler> handler) {
  handler_ = std::move(handler);
  shard_.counts.opened_websocket.add(1);
  socket_ = std::make_unique<net::WebSocket>(*shard_.loop, std::move(socket.fd), std::move(socket.lease),
                                             shard_.websocket_options, *this);
  socket_->accept(handshake);
  socket_->send(net::Frame::text(open_packet(false)));
  shard_.loop->timers().set(*this, options_.ping_interval);
  socket_->start(std::move(socket.buffered));
}

void Session::send(net::FramePtr message) {
  if (closed_) return;
  if (socket_) {
    socket_->send(std::move(message));
    return;
  }
  if (!buffer_) buffer_ = std::make_unique<net::OutQueue>(shard_.loop->counts());
  buffer_->push(std::move(message), options_.merge_above);
  if (buffer_->bytes() > options_.max_backlog && buffer_->count() > 1 && !std::exchange(too_slow_, true)) {
    shard_.loop->counts().too_slow.add(1);
    // Not at once: whoever sends to many must not see one of them vanish under its hands.
    shard_.loop->post([loop = shard_.loop, &shard = shard_, sid = std::string(sid())] {
      if (auto* session = shard.sessions.find(sid)) session->close(CloseReason::transport_error);
    });
  }
  if (poll_ != nullptr) answer_poll(take_payload());
}

std::string Session::take_payload() {
  const bool empty = !buffer_ || buffer_->empty();
  if (empty && closed_) {
    bury();
    return farewell_;
  }
  if (empty) return probe_ && probe_->probed_ ? "6" : std::string();
  return encode_payload(buffer_->take());
}

void Session::answer_poll(std::string payload) {
  poll_->payload = std::move(payload);
  std::exchange(poll_, nullptr)->wake.cancel();
}

void Session::refuse_second_poll() {
  if (poll_ != nullptr) answer_poll("1");
  buffer_.reset();
  finish(CloseReason::transport_error, "");
}

void Session::lose_poll() { finish(CloseReason::transport_error, ""); }

bool Session::receive(std::string_view payload) {
  const auto parts = decode_payload(payload);
  if (!parts) {
    close(CloseReason::parse_error);
    return false;
  }
  for (const auto& part : *parts) {
    if (closed_) break;
    if (part.binary) {
      handler_->on_binary(part.bytes);
    } else {
      on_packet(part.packet);
    }
  }
  return true;
}

void Session::on_message(bool binary, std::string_view payload) {
  if (closed_) return;
  if (binary) {
    handler_->on_binary(payload);
    return;
  }
  const auto packet = decode_packet(payload);
  if (!packet) {
    close(CloseReason::parse_error);
    return;
  }
  on_packet(*packet);
}

void Session::on_packet(const Packet& packet) {
  if (packet.type == PacketType::pong) {
    if (!awaits_pong_) return;
    awaits_pong_ = false;
    shard_.loop->timers().set(*this, options_.ping_interval);
    return;
  }
  if (awaits_pong_ && !std::exchange(renewed_, true)) shard_.loop->timers().set(*this, options_.ping_timeout);
  switch (packet.type) {
    case PacketType::message:
      handler_->on_message(packet.body);
      return;
    case PacketType::close:
      finish(CloseReason::transport_close, "6");
      return;
    case PacketType::ping:  // in version 4 only the server pings
      close(CloseReason::transport_error);
      return;
    default:
      return;
  }
}

void Session::on_end(net::WebSocketEnd end) {
  finish(end == net::WebSocketEnd::closed ? CloseReason::transport_close : CloseReason::transport_error, "");
}

void Session::on_deadline() {
  if (closed_) {
    bury();
  } else if (awaits_pong_) {
    finish(CloseReason::ping_timeout, "");
  } else {
    awaits_pong_ = true;
    renewed_ = false;
    send(shard_.ping);
    shard_.loop->timers().set(*this, options_.ping_timeout);
  }
}

void Session::start_probe(net::DetachedSocket socket, const net::WsHandshake& handshake) {
  probe_ = std::make_unique<Probe>(*this);
  probe_->socket = std::make_unique<net::WebSocket>(*shard_.loop, std::move(socket.fd), std::move(socket.lease),
                                                    shard_.websocket_options, *probe_);
  probe_->socket->accept(handshake);
  shard_.loop->timers().set(*probe_, options_.upgrade_timeout);
  probe_->socket->start(std::move(socket.buffered));
}

void Session::complete_upgrade() {
  if (poll_ != nullptr) answer_poll("6");
  shard_.counts.upgraded.add(1);
  socket_ = std::move(probe_->socket);
  socket_->set_listener(*this);
  // The probe is a frame below us on the stack.
  struct Keep final : net::Loop::Disposable {
    std::unique_ptr<Probe> probe;
  };
  auto keep = std::make_unique<Keep>();
  shard_.loop->timers().cancel(*probe_);
  keep->probe = std::move(probe_);
  shard_.loop->dispose_later(std::move(keep));
  if (const auto waiting = std::exchange(buffer_, nullptr)) {
    for (auto& message : waiting->take()) socket_->send(std::move(message));
  }
  if (close_after_upgrade_) finish(*close_after_upgrade_, "");
}

void Session::drop_probe() {
  if (!probe_) return;
  struct Keep final : net::Loop::Disposable {
    std::unique_ptr<Probe> probe;
  };
  auto keep = std::make_unique<Keep>();
  shard_.loop->timers().cancel(*probe_);
  keep->probe = std::move(probe_);
  net::WebSocket::finish(std::move(keep->probe->socket), net::WsCloseCode::normal, {});
  shard_.loop->dispose_later(std::move(keep));
  if (close_after_upgrade_) finish(*close_after_upgrade_, "1");
}

void Session::close(CloseReason reason) {
  const bool by_us = reason == CloseReason::forced_close || reason == CloseReason::server_shutting_down;
  if (by_us && probe_ && probe_->probed_) {
    // The client has stopped polling; what it should still hear can only go over the new transport.
    close_after_upgrade_ = reason;
    return;
  }
  finish(reason, reason == CloseReason::parse_error ? "" : "1");
}

/// `last_packet`, a literal, is what a poll gets, one that waits or one that is on its way; empty: it finds
/// no session.
void Session::finish(CloseReason reason, const char* last_packet) {
  if (std::exchange(closed_, true)) return;
  shard_.loop->timers().cancel(*this);
  drop_probe();
  const bool polling = !socket_;
  shard_.counts.closed_by[static_cast<std::size_t>(reason)].add(1);
  (polling ? shard_.counts.closed_polling : shard_.counts.closed_websocket).add(1);
  if (socket_) {
    net::WebSocket::finish(
        std::move(socket_),
        reason == CloseReason::server_shutting_down ? net::WsCloseCode::going_away : net::WsCloseCode::normal, {});
  }
  if (polling && *last_packet != '\0') {
    // In a payload of its own: the client acts on a close before it acts on the messages beside it.
    farewell_ = last_packet;
    if (poll_ != nullptr) {
      answer_poll(take_payload());
    } else {
      shard_.loop->timers().set(*this, kLastPoll);
    }
  } else {
    if (poll_ != nullptr) answer_poll("1");
    bury();
  }
  // The last word: the handler may let go of everything that leads here.
  const auto handler = std::move(handler_);
  if (handler) handler->on_close(reason);
}

void Session::bury() {
  if (std::exchange(buried_, true)) return;
  shard_.loop->timers().cancel(*this);
  shard_.sessions.erase(*this);
  std::unique_ptr<Session> self(this);
  shard_.loop->dispose_later(std::move(self));
}

}  // namespace rushes::engineio
