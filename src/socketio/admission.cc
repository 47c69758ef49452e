#include "socketio/detail/connection.h"
#include "socketio/detail/places.h"
#include "socketio/local_adapter.h"

#include <utility>

// g++ 12 pairs Asio's frame allocator with the global one where a coroutine catches around a co_await.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace rushes::socketio::detail {

Task<> Connection::enter(std::shared_ptr<Connection> self, SocketPtr socket, std::optional<Former> former,
                         Gate::Pass pass) {
  const auto held = std::move(pass);
  const auto refused = co_await check(socket);
  auto pid = former ? former->pid : std::string();
  std::optional<Resumed> resumed;
  if (!refused && former && self->session_ != nullptr) {
    auto resuming = resume(socket, std::move(*former));
    resumed = co_await std::move(resuming);
  }
  self->entering_.remove(socket);
  auto& counts = self->counts_of(*socket);
  if (refused || self->session_ == nullptr) {
    if (refused) {
      log::debug("socketio", "refused namespace={} session={} address={} why=\"{}\"", socket->nsp().name(), self->sid(),
                 socket->handshake().address(), refused->message);
      if (!refused->try_later) self->reject(socket->nsp().name(), *refused);
      counts.refused.add(1);
    }
    socket->left_ = true;
    if (refused && refused->try_later) self->close();
    co_return;
  }
  if (former) (resumed ? counts.recovered : counts.not_recovered).add(1);
  if (!resumed) {
    self->admit(socket, {}, nullptr);
    co_return;
  }
  socket->id_.assign(resumed->socket_id.data(), resumed->socket_id.size());
  socket->recovered_ = true;
  self->admit(socket, std::move(pid), &resumed->missed);
  const auto told = resumed->missed.last;
  auto catching_up = catch_up(std::move(socket), told);
  co_await std::move(catching_up);
}

Task<std::optional<ConnectError>> Connection::check(SocketPtr socket) {
  try {
    for (const auto& middleware : socket->nsp().middlewares_) {
      auto task = middleware(socket);
      auto refused = co_await std::move(task);
      if (refused) co_return refused;
    }
  } catch (const std::exception& error) {
    log::error("socketio", "a middleware threw namespace={} socket={}: {}", socket->nsp().name(), socket->id(),
               error.what());
    co_return ConnectError("Internal error");
  }
  co_return std::nullopt;
}

Task<std::optional<Resumed>> Connection::resume(SocketPtr socket, Former former) {
  try {
    auto task = socket->nsp().recovery_->resume(socket, std::move(former.pid), std::move(former.offset));
    co_return co_await std::move(task);
  } catch (const std::exception& error) {
    log::error("socketio", "the recovery threw namespace={} socket={}: {}", socket->nsp().name(), socket->id(),
               error.what());
  }
  co_return std::nullopt;
}

NamespaceCounts& Connection::counts_of(const Socket& socket) { return socket.nsp().counts_[shard_.index]; }

void Connection::admit(const SocketPtr& socket, std::string pid, const LoggedEvents* missed) {
  if (!incomplete_) expect_nothing();
  auto& nsp = socket->nsp();
  if (missed != nullptr) {
    nsp.local_->evict(std::string(socket->id()));  // what the server still takes for the connection that was cut
  } else if (nsp.recovery_ != nullptr) {
    pid = nsp.recovery_->issue(*socket);
  }
  sockets_.push_back(socket);
  socket->connected_ = true;
  nsp.local_->enter(shard_.index, *socket);
  nsp.size_.fetch_add(1, std::memory_order_relaxed);
  counts_of(*socket).connects.add(1);
  log::debug("socketio", "joined namespace={} socket={} session={} transport={} address={} recovered={}", nsp.name(),
             socket->id(), sid(), transport(), socket->handshake().address(), socket->recovered());
  if (const auto early = std::exchange(socket->places_->early, nullptr)) {
    for (const auto& room : *early) nsp.local_->join_room(*socket, room);
  }
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
      log::error("socketio", "a connection handler threw namespace={} socket={}: {}", nsp.name(), socket->id(),
                 error.what());
    }
  }
}

Task<> Connection::catch_up(SocketPtr socket, std::uint64_t told) {
  std::optional<LoggedEvents> events;
  try {
    auto task = socket->nsp().recovery_->since(socket, told);
    events = co_await std::move(task);
  } catch (const std::exception& error) {
    log::error("socketio", "the recovery threw namespace={} socket={}: {}", socket->nsp().name(), socket->id(),
               error.what());
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
