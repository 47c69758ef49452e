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
  bool base64 = false;

 private:
  void on_message(bool binary, std::string_view payload) override {
    if (!binary && !probed_ && payload == "2probe") {
      probed_ = true;
      socket->send(net::Frame::text("3probe"));
      // The client stops polling and says `5` once its last poll has returned.
      if (session_.has_waiting_poll()) session_.answer_poll("6");
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

/// What only a session needs that polls, or polled when it closed.
struct Session::Polling {
  explicit Polling(net::WebSocketCounts& counts) : buffer(counts) {}

  net::OutQueue buffer;  // what the next poll gets
  WaitingPoll* poll = nullptr;
  std::unique_ptr<Probe> probe;  // a WebSocket that wants to take over
  std::optional<CloseReason> close_after_upgrade;
  const char* farewell = "";  // once closed, the poll behind the last messages gets it
  bool too_slow = false;      // about to be closed
};

std::string_view SidOf::operator()(const Session& session) const noexcept { return session.sid(); }

SessionShard::~SessionShard() {
  for (auto* session : sessions) delete session;
}

Session::Session(SessionShard& shard, std::string_view sid) : shard_(shard), sid_(sid.data(), sid.size()) {}

Session::~Session() = default;

std::string Session::open_packet(bool upgradable) const {
  return "0{\"sid\":\"" + std::string(sid()) + "\",\"upgrades\":[" + (upgradable ? "\"websocket\"" : "") +
         "],\"pingInterval\":" + std::to_string(shard_.options.ping_interval.count()) +
         ",\"pingTimeout\":" + std::to_string(shard_.options.ping_timeout.count()) +
         ",\"maxPayload\":" + std::to_string(shard_.options.max_payload) + "}";
}

void Session::begin(std::shared_ptr<SessionHandler> handler, bool upgradable) {
  handler_ = std::move(handler);
  shard_.loop->timers().set(*this, shard_.options.ping_interval);
  const auto early = early_ ? early_->take() : std::vector<net::FramePtr>();
  early_ = nullptr;
  send(net::Frame::text(open_packet(upgradable)));
  for (const auto& message : early) send(message);
  handler_->on_open();
}

void Session::open_polling(std::shared_ptr<SessionHandler> handler) {
  shard_.counts.opened_polling.add(1);
  polling_ = std::make_unique<Polling>(shard_.loop->counts());
  begin(std::move(handler), shard_.options.websocket);
}

void Session::open_websocket(Upgrade upgrade, std::shared_ptr<SessionHandler> handler) {
  shard_.counts.opened_websocket.add(1);
  auto& [socket, handshake, base64] = upgrade;
  base64_ = base64;
  socket_ = std::make_unique<net::WebSocket>(*shard_.loop, std::move(socket.fd), std::move(socket.lease),
                                             shard_.websocket_options, *this);
  socket_->accept(handshake);
  begin(std::move(handler), false);
  if (socket_) socket_->start(std::move(socket.buffered));
}

void Session::send(const net::FramePtr& message) {
  if (closed_) return;
  if (socket_) {
    socket_->send(base64_ && message->is_binary() ? encode_base64(*message) : message);
    return;
  }
  if (!polling_) {  // the factory of its handler speaks
    if (!early_) early_ = std::make_unique<net::OutQueue>(shard_.loop->counts());
    return early_->push(message, shard_.options.merge_above);
  }
  auto& buffer = polling_->buffer;
  buffer.push(message, shard_.options.merge_above);
  const bool too_slow = buffer.bytes() > shard_.options.max_backlog && buffer.count() > 1;
  if (too_slow && !std::exchange(polling_->too_slow, true)) {
    shard_.loop->counts().too_slow.add(1);
    // Not at once: whoever sends to many must not see one of them vanish under its hands.
    close_later(CloseReason::transport_error);
  }
  if (has_waiting_poll()) answer_poll(take_payload());
}

void Session::close_later(CloseReason reason) {
  shard_.loop->post([&shard = shard_, sid = std::string(sid()), reason] {
    if (auto* session = shard.sessions.find(sid)) session->close(reason);
  });
}

std::size_t Session::backlog() const noexcept {
  return socket_ ? socket_->backlog() : polling_ ? polling_->buffer.bytes() : 0;
}

bool Session::has_waiting_poll() const noexcept { return polling_ && polling_->poll != nullptr; }

void Session::wait(WaitingPoll& poll) noexcept { polling_->poll = &poll; }

bool Session::can_upgrade() const noexcept { return is_polling() && !polling_->probe; }

std::string Session::take_payload() {
  auto& [buffer, poll, probe, close_after_upgrade, farewell, too_slow] = *polling_;
  if (!buffer.empty()) return encode_payload(buffer.take());
  if (closed_) {
    bury();
    return farewell;
  }
  return probe && probe->probed_ ? "6" : std::string();
}

void Session::answer_poll(std::string payload) {
  auto& poll = *std::exchange(polling_->poll, nullptr);
  poll.payload = std::move(payload);
  poll.wake.cancel();
}

void Session::refuse_second_poll() {
  if (has_waiting_poll()) answer_poll("1");
  polling_->buffer.take();
  finish(CloseReason::transport_error, "");
}

void Session::lose_poll() { finish(CloseReason::transport_error, ""); }

bool Session::receive(std::string_view payload) {
  const auto parts = decode_payload(payload);
  if (!parts) {
    finish(CloseReason::parse_error, "");
    return false;
  }
  for (const auto& part : *parts) on_part(part);
  return true;
}

void Session::on_message(bool binary, std::string_view payload) {
  if (binary) {
    if (!is_ending()) handler_->on_binary(payload);
    return;
  }
  const auto part = decode_part(payload);
  if (!part) return finish(CloseReason::parse_error, "");
  on_part(*part);
}

bool Session::is_ending() const noexcept { return closed_ || (polling_ && polling_->close_after_upgrade); }

void Session::on_part(const PayloadPart& part) {
  if (is_ending()) return;
  if (part.binary) {
    handler_->on_binary(part.bytes);
  } else {
    on_packet(part.packet);
  }
}

void Session::on_packet(const Packet& packet) {
  if (packet.type == PacketType::pong) {
    if (!awaits_pong_) return;
    awaits_pong_ = false;
    shard_.loop->timers().set(*this, shard_.options.ping_interval);
    return;
  }
  if (awaits_pong_ && !std::exchange(renewed_, true)) shard_.loop->timers().set(*this, shard_.options.ping_timeout);
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
    shard_.loop->timers().set(*this, shard_.options.ping_timeout);
  }
}

void Session::start_probe(Upgrade upgrade) {
  auto& [socket, handshake, base64] = upgrade;
  auto& probe = *(polling_->probe = std::make_unique<Probe>(*this));
  probe.base64 = base64;
  probe.socket = std::make_unique<net::WebSocket>(*shard_.loop, std::move(socket.fd), std::move(socket.lease),
                                                  shard_.websocket_options, probe);
  probe.socket->accept(handshake);
  shard_.loop->timers().set(probe, shard_.options.upgrade_timeout);
  probe.socket->start(std::move(socket.buffered));
}

void Session::complete_upgrade() {
  if (has_waiting_poll()) answer_poll("6");
  shard_.counts.upgraded.add(1);
  socket_ = std::move(polling_->probe->socket);
  socket_->set_listener(*this);
  base64_ = polling_->probe->base64;
  retire_probe();
  const auto polling = std::move(polling_);
  for (const auto& message : polling->buffer.take()) send(message);
  if (polling->close_after_upgrade) finish(*polling->close_after_upgrade, "");
}

void Session::drop_probe() {
  if (!polling_ || !polling_->probe) return;
  net::WebSocket::finish(std::move(polling_->probe->socket), net::WsCloseCode::normal, {});
  retire_probe();
  if (polling_->close_after_upgrade) finish(*polling_->close_after_upgrade, "1");
}

/// The probe may be a frame below us on the stack: it goes at the turn's end.
void Session::retire_probe() {
  struct Keep final : net::Loop::Disposable {
    std::unique_ptr<Probe> probe;
  };
  auto keep = std::make_unique<Keep>();
  keep->probe = std::move(polling_->probe);
  shard_.loop->timers().cancel(*keep->probe);
  shard_.loop->dispose_later(std::move(keep));
}

void Session::close(CloseReason reason) {
  if (!handler_ && !closed_) return close_later(reason);  // the factory of its handler speaks
  if (reason != CloseReason::transport_error && polling_ && polling_->probe && polling_->probe->probed_) {
    // The client has stopped polling; what it should still hear can only go over the new transport.
    polling_->close_after_upgrade = reason;
    return;
  }
  finish(reason, "1");
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
    polling_->farewell = last_packet;
    if (has_waiting_poll()) {
      answer_poll(take_payload());
    } else {
      shard_.loop->timers().set(*this, kLastPoll);
    }
  } else {
    if (has_waiting_poll()) answer_poll("1");
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
