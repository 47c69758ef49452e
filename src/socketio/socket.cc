#include "socketio/socket.h"

#include "socketio/detail/connection.h"
#include "socketio/detail/places.h"
#include "socketio/local_adapter.h"
#include "socketio/namespace.h"

#include <algorithm>
#include <atomic>
#include <unordered_map>
#include <utility>

namespace rushes::socketio {

struct Ack::State {
  std::weak_ptr<Socket> socket;
  std::uint64_t id = 0;
  std::atomic<bool> answered{false};
};

Ack::Ack(std::weak_ptr<Socket> socket, std::optional<std::uint64_t> id) {
  if (!id) return;
  state_ = std::make_shared<State>();
  state_->socket = std::move(socket);
  state_->id = *id;
}

void Ack::answer(const Arguments& args) const {
  if (!state_ || state_->answered.exchange(true)) return;
  const auto socket = state_->socket.lock();
  if (!socket) return;
  auto packet = encode_ack(socket->nsp().name(), state_->id, args);
  if (socket->loop().is_current()) return socket->send(packet);
  socket->loop().post([socket, packet = std::move(packet)] { socket->send(packet); });
}

/// Acknowledgements that a client owes us.
struct Socket::Waits {
  struct Wait final : net::Deadline {
    void on_deadline() override {
      if (const auto socket = owner.lock()) socket->fail_ack(id, Error(Errc::timed_out, "no acknowledgement in time"));
    }
    std::weak_ptr<Socket> owner;
    std::uint64_t id = 0;
    AckHandler handler;
  };
  std::uint64_t next = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Wait>> pending;
};

/// What was sent to a socket that is still being told what it missed.
struct Socket::Held {
  std::vector<EncodedPacket> packets;
  std::size_t bytes = 0;
};

Socket::Socket(Key, Namespace& nsp, std::shared_ptr<detail::Connection> connection, std::string_view id,
               json::object auth)
    : id_(id.data(), id.size()),
      shard_(static_cast<std::uint16_t>(connection->shard())),
      namespace_(nsp),
      connection_(std::move(connection)),
      auth_(auth.empty() ? nullptr : std::make_unique<const json::object>(std::move(auth))),
      places_(std::make_unique<Places>()) {}

Socket::~Socket() = default;

void Socket::send(const EncodedPacket& packet) {
  if (!connected_ || (packet.order != 0 && packet.order <= had_)) return;
  if (!held_) {
    counts().events_out.add(1);
    return connection_->send(packet);
  }
  held_->packets.push_back(packet);
  held_->bytes += packet.text->payload().size();
  for (const auto& attachment : packet.attachments) held_->bytes += attachment->payload().size();
  if (held_->bytes <= connection_->options().max_backlog) return;
  // As any client that is behind by more than it may be. Later: whoever sends to many must not see one vanish.
  held_->packets.clear();
  loop().post([self = shared_from_this()] {
    if (!self->left_) self->connection_->close();
  });
}

NamespaceCounts& Socket::counts() noexcept { return namespace_.counts_[shard_]; }

net::Loop& Socket::loop() const noexcept { return *namespace_.loop_of(shard_); }

const Handshake& Socket::handshake() const noexcept { return connection_->handshake(); }

const json::object& Socket::auth() const noexcept {
  static const json::object kNone;
  return auth_ ? *auth_ : kNone;
}

void Socket::hold() { held_ = std::make_unique<Held>(); }

void Socket::release(std::uint64_t order) {
  had_ = order;  // an event that stood in the log before it was broadcast may still be on its way here
  const auto held = std::move(held_);
  if (!held) return;
  for (const auto& packet : held->packets) send(packet);
}

std::size_t Socket::backlog() const noexcept { return connected_ ? connection_->backlog() : 0; }

bool Socket::congested() const noexcept { return connected_ && connection_->congested(); }

void Socket::emit_arguments(std::string_view event, const Arguments& args) {
  auto packet = encode_event(namespace_.name(), event, args);
  if (loop().is_current()) return send(packet);
  loop().post([self = shared_from_this(), packet = std::move(packet)] { self->send(packet); });
}

EncodedPacket Socket::encode_event_of(std::string_view event, const Arguments& args) const {
  return encode_event(namespace_.name(), event, args);
}

void Socket::send_volatile(EncodedPacket packet) {
  loop().run([self = shared_from_this(), packet = std::move(packet)] {
    if (!self->congested()) self->send(packet);
  });
}

void Socket::emit_with_ack(std::string_view event, const Arguments& args, std::chrono::milliseconds timeout,
                           AckHandler handler) {
  loop().run([self = shared_from_this(), name = std::string(event), args, timeout, handler = std::move(handler)] {
    if (!self->waits_) self->waits_ = std::make_unique<Waits>();
    const auto id = self->waits_->next++;
    self->ask(encode_event(self->namespace_.name(), name, args, id), id, timeout, handler);
  });
}

void Socket::ask(const EncodedPacket& packet, std::uint64_t id, std::chrono::milliseconds timeout, AckHandler handler) {
  if (!connected_) return handler(Error(Errc::unavailable, "the client is gone"));
  if (!waits_) waits_ = std::make_unique<Waits>();
  auto wait = std::make_unique<Waits::Wait>();
  wait->owner = weak_from_this();
  wait->id = id;
  wait->handler = std::move(handler);
  loop().timers().set(*wait, timeout);
  waits_->pending.emplace(id, std::move(wait));
  send(packet);
}

void Socket::take_ack(std::uint64_t id, Event answer) {
  if (!waits_) return;
  auto wait = waits_->pending.extract(id);
  if (wait) wait.mapped()->handler(std::move(answer));
}

void Socket::fail_ack(std::uint64_t id, const Error& error) {
  auto wait = waits_->pending.extract(id);
  if (wait) wait.mapped()->handler(error);
}

void Socket::join(std::string room) {
  loop().run([self = shared_from_this(), room = std::move(room)] {
    if (self->left_) return;
    auto& early = self->places_->early;
    const auto count = self->places_->rooms.size() + (early ? early->size() : 0);
    if (count >= self->connection_->options().max_rooms) {
      self->connection_->counts().too_many_rooms.add(1);
      log::warning("socketio", "too many rooms socket={} rooms={}", self->id(), count);
    } else if (self->connected_) {
      self->namespace_.local_->join_room(*self, room);
    } else {
      if (!early) early = std::make_unique<std::vector<std::string>>();
      early->push_back(room);
    }
  });
}

void Socket::leave(std::string_view room) {
  loop().run([self = shared_from_this(), room = std::string(room)] {
    if (const auto& early = self->places_->early) std::erase(*early, room);
    if (self->connected_) self->namespace_.local_->leave_room(*self, room);
  });
}

std::vector<std::string> Socket::rooms() const {
  auto names = places_->early ? *places_->early : std::vector<std::string>();
  for (const auto& place : places_->rooms) names.push_back(place.room->name);
  return names;
}

Broadcast Socket::to(std::string room) const { return namespace_.to(std::move(room)).except(std::string(id())); }

void Socket::disconnect(bool close_transport) {
  loop().run([self = shared_from_this(), close_transport] {
    if (self->left_) return;
    if (close_transport) return self->connection_->disconnect();
    self->leave_by_server();
  });
}

void Socket::drop_connection() {
  loop().run([self = shared_from_this()] {
    if (!self->left_) self->connection_->close();
  });
}

void Socket::leave_by_server() {
  if (!connected_) return;
  send(encode_disconnect(namespace_.name()));
  depart("server namespace disconnect");
}

void Socket::give_way() {
  const auto connection = connection_;
  depart("transport close");
  connection->close();
}

void Socket::on_disconnect(std::function<void(std::string_view)> handler) {
  if (!disconnect_handlers_)
    disconnect_handlers_ = std::make_unique<std::vector<std::function<void(std::string_view)>>>();
  disconnect_handlers_->push_back(std::move(handler));
}

void Socket::depart(std::string_view reason) {
  if (!std::exchange(connected_, false)) return;
  const auto self = shared_from_this();
  log::debug("socketio", "left namespace={} socket={} session={} reason=\"{}\"", namespace_.name(), id(),
             connection_->sid(), reason);
  const auto known = std::find(kDisconnectReasons.begin(), kDisconnectReasons.end(), reason);
  if (known != kDisconnectReasons.end()) {
    counts().disconnects[static_cast<std::size_t>(known - kDisconnectReasons.begin())].add(1);
  }
  namespace_.local_->exit(*this);
  namespace_.size_.fetch_sub(1, std::memory_order_relaxed);
  left_ = true;
  connection_->forget(*this);
  const auto call = [&self](const auto& handler, const auto&... args) {
    try {
      handler(args...);
    } catch (const std::exception& error) {
      log::error("socketio", "a disconnect handler threw socket={}: {}", self->id(), error.what());
    }
  };
  if (const auto handlers = std::exchange(disconnect_handlers_, nullptr)) {
    for (const auto& handler : *handlers) call(handler, reason);
  }
  for (const auto& handler : namespace_.disconnect_handlers_) call(handler, self, reason);
  if (const auto waits = std::exchange(waits_, nullptr)) {
    for (const auto& [id, wait] : waits->pending) call(wait->handler, Error(Errc::unavailable, "the client is gone"));
  }
}

}  // namespace rushes::socketio
