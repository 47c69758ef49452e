#include "socketio/detail/connection.h"
#include "socketio/detail/places.h"
#include "socketio/local_adapter.h"

#include <utility>

// g++ 12 pairs Asio's frame allocator with the global one where a coroutine catches around a co_await.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace rushes::socketio::detail {

Task<> Connection::enter(std::shared_ptr<Connection> self, SocketPtr socket, Gate::Pass pass) {
  const auto held = std::move(pass);
  const auto refused = co_await check(socket);
  std::optional<Resumed> resumed;
  if (!refused && self->session_ != nullptr) resumed = co_await resume(socket);
  std::erase(self->entering_, socket);
  if (refused || self->session_ == nullptr) {
    if (refused) {
      self->reject(socket->nsp().name(), *refused);
      self->counts_of(*socket).refused.add(1);
    }
    socket->connection_.reset();
    co_return;
  }
  const bool asked = socket->handshake().auth.get_object().contains("pid");
  if (resumed || asked) (resumed ? self->counts_of(*socket).recovered : self->counts_of(*socket).not_recovered).add(1);
  if (!resumed) {
    self->admit(socket, nullptr);
    co_return;
  }
  socket->id_ = std::move(resumed->socket_id);
  socket->recovered_ = true;
  self->admit(socket, &resumed->missed);
  co_await catch_up(std::move(socket), resumed->missed.last);
}

Task<std::optional<ConnectError>> Connection::check(SocketPtr socket) {
  try {
    for (const auto& middleware : socket->nsp().middlewares_) {
      auto task = middleware(socket);
      auto refused = co_await std::move(task);
      if (refused) co_return refused;
    }
  } catch (const std::exception& error) {
    log::error("socketio", "a middleware of {} threw: {}", socket->nsp().name(), error.what());
    co_return ConnectError("Internal error");
  }
  co_return std::nullopt;
}

Task<std::optional<Resumed>> Connection::resume(SocketPtr socket) {
  auto* const recovery = socket->nsp().recovery_;
  const auto& auth = socket->handshake().auth.get_object();
  auto pid = string_member(auth, "pid");
  if (recovery == nullptr || !pid) co_return std::nullopt;
  auto offset = string_member(auth, "offset").value_or("");
  try {
    auto task = recovery->resume(socket, std::move(*pid), std::move(offset));
    co_return co_await std::move(task);
  } catch (const std::exception& error) {
    log::error("socketio", "the recovery of {} threw: {}", socket->nsp().name(), error.what());
  }
  co_return std::nullopt;
}

NamespaceCounts& Connection::counts_of(const Socket& socket) { return socket.nsp().counts_[shard_index_]; }

void Connection::admit(const SocketPtr& socket, const LoggedEvents* missed) {
  if (waiting_ == Waiting::first_connect) expect(Waiting::nothing);
  auto& nsp = socket->nsp();
  std::string pid;
  if (missed != nullptr) {
    pid = string_member(socket->handshake().auth.get_object(), "pid").value_or("");
    nsp.local_->evict(socket->id());  // what the server still takes for the connection that was cut
  } else if (nsp.recovery_ != nullptr) {
    pid = nsp.recovery_->issue(*socket);
  }
  sockets_.push_back(socket);
  socket->connected_ = true;
  nsp.local_->enter(shard_index_, *socket);
  nsp.size_.fetch_add(1, std::memory_order_relaxed);
  counts_of(*socket).connects.add(1);
  for (const auto& room : std::exchange(socket->places_->early, {})) nsp.local_->join_room(*socket, room);
  send(encode_connect(nsp.name(), socket->id(), pid));
  if (missed != nullptr) {
    for (const auto& packet : missed->packets) send(packet);
    socket->hold();
  }
  for (const auto& handler : nsp.connection_handlers_) {
    if (!socket->connected()) return;
    try {
      handler(socket);
    } catch (const std::exception& error) {
      log::error("socketio", "the connection handler of {} threw: {}", nsp.name(), error.what());
    }
  }
}

Task<> Connection::catch_up(SocketPtr socket, std::uint64_t told) {
  std::optional<LoggedEvents> events;
  try {
    auto task = socket->nsp().recovery_->since(socket, told);
    events = co_await std::move(task);
  } catch (const std::exception& error) {
    log::error("socketio", "the recovery of {} threw: {}", socket->nsp().name(), error.what());
  }
  if (!socket->connected()) co_return;
  if (!events) {
    // Not less than all: it comes back and asks again.
    socket->connection_->close();
    co_return;
  }
  for (const auto& packet : events->packets) socket->connection_->send(packet);
  socket->release(events->last);
}

}  // namespace rushes::socketio::detail
