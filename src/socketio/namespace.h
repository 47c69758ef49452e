#pragma once
#include "async/task.h"
#include "base/counters.h"
#include "socketio/adapter.h"
#include "socketio/event.h"
#include "socketio/socket.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::socketio {

class LocalAdapter;
class Recovery;
class Server;

/// Why a client may not enter: `connect_error` at the client, with `message` and, where it is not null, `data`.
///
/// A stock client does not come back by itself after one. `try_later` ends the connection instead, with all its
/// namespaces: then it does.
struct ConnectError {
  ConnectError() = default;
  explicit ConnectError(std::string words, json::value details = nullptr)
      : message(std::move(words)), data(std::move(details)) {}

  std::string message;
  json::value data;
  bool try_later = false;
};

/// What one shard's part of a namespace has seen. Counted on the shard, read from anywhere.
struct NamespaceCounts {
  Counter connects;
  Counter refused;        // by a middleware
  Counter recovered;      // sessions that went on
  Counter not_recovered;  // clients that asked for that, and got a new session
  Counter events_in;
  Counter events_out;  // an event to each socket counts
  std::array<Counter, kDisconnectReasons.size()> disconnects;
};

/// Lets a client in (nothing) or refuses it. Runs on the socket's shard, before `on_connection`.
using Middleware = std::function<Task<std::optional<ConnectError>>(SocketPtr)>;
/// Handles one event. Runs on the socket's shard; several of one socket may overlap where they wait.
using EventHandler = std::function<Task<>(SocketPtr socket, json::array args, Ack ack)>;
/// The same with binary attachments and the event's name.
using RawEventHandler = std::function<Task<>(SocketPtr socket, Event event, Ack ack)>;

/// Some of a namespace's sockets: those in any of the rooms (all where none is named), less the excepted.
/// A value; built by `Namespace::to` and the like, used at once or kept.
///
/// Threads: as many as there are; every call is thread-safe, and emits of one thread keep their order.
class Broadcast {
 public:
  Broadcast to(std::string room) const&;
  Broadcast to(std::string room) &&;
  Broadcast except(std::string room) const&;
  Broadcast except(std::string room) &&;
  /// May be dropped for a client whose out-queue is not empty.
  Broadcast volatile_() const;
  /// A client that is behind gets only the newest event of this `topic` (not 0), less those that it was sent already.
  Broadcast replacing(std::uint64_t topic) const;
  /// The event stands in the namespace's recovery log at `order`, which rises (see `Recovery`).
  Broadcast logged(std::uint64_t order) const;

  template <class... T>
  void emit(std::string_view event, const T&... args) const {
    if (may_reach()) emit_arguments(event, Arguments(args...));
  }
  void emit_arguments(std::string_view event, const Arguments& args) const;
  /// False where nobody is meant.
  bool may_reach() const;
  /// Asks each for an acknowledgement and waits for them, at most `timeout`.
  Task<BroadcastAnswers> emit_with_ack(std::string event, Arguments args, std::chrono::milliseconds timeout) const;
  /// They leave the namespace, as by `Socket::disconnect`.
  void disconnect(bool close_transport = false) const;
  void join(std::string room) const;
  void leave(std::string room) const;
  /// How many sockets there are now.
  Task<std::size_t> count() const;

 private:
  friend class Namespace;
  friend class Socket;
  explicit Broadcast(Namespace& nsp) : namespace_(&nsp) {}

  Namespace* namespace_;
  Selection selection_;
  std::uint64_t topic_ = 0;
  std::uint64_t order_ = 0;
};

/// One namespace ("/queue") with its handlers, on all shards.
///
/// Threads:   handlers are registered before the server takes connections and immutable afterwards; the
///            rest is thread-safe.
/// Lifetime:  that of its Server.
class Namespace {
 public:
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;
  ~Namespace();

  const std::string& name() const noexcept { return name_; }

  /// Middlewares run in the order of their registration; the first refusal ends it.
  void use(Middleware middleware);
  /// Lets clients that were cut off go on where they were. At most once.
  void recover_with(Recovery& recovery);
  /// Runs after the client was told that it is in; join rooms and emit here.
  void on_connection(std::function<void(const SocketPtr&)> handler);
  void on_disconnect(std::function<void(const SocketPtr&, std::string_view reason)> handler);
  void on(std::string event, EventHandler handler);
  void on_raw(std::string event, RawEventHandler handler);
  /// Events that have no handler of their own; without it they are ignored.
  void on_any(RawEventHandler handler);

  Broadcast to(std::string room);
  Broadcast except(std::string room);
  Broadcast all();
  /// Tells the other nodes of a cluster, where there is one: what `on_server_side` of theirs gets.
  template <class... T>
  void emit_to_servers(std::string_view event, const T&... args) {
    adapter_->emit_to_servers(event, Arguments(args...));
  }
  /// Events of other nodes' `emit_to_servers`, on any thread.
  void on_server_side(std::function<void(const Event&)> handler);
  /// For an adapter that knows other nodes: what came from one of them. Thread-safe.
  void take_from_server(const Event& event) const;
  /// Reaches the sockets through `adapter`, which is given the one that knows those of this process. Before the server
  /// takes connections; `adapter` outlives it.
  void reach_by(Adapter& adapter) { adapter_ = &adapter; }
  Adapter& local_adapter() noexcept;

  template <class... T>
  void emit_all(std::string_view event, const T&... args) {
    all().emit_arguments(event, Arguments(args...));
  }

  /// Thread-safe; `shard` is one of the server's.
  const NamespaceCounts& counts(std::size_t shard) const { return counts_[shard]; }
  /// Connected sockets of this process, on all shards.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  friend class Server;
  friend class Socket;
  friend class Broadcast;
  friend class detail::Connection;

  Namespace(std::string name, const std::vector<std::shared_ptr<net::Loop>>& loops);
  const std::shared_ptr<net::Loop>& loop_of(std::size_t shard) const { return loops_[shard]; }

  const std::string name_;
  const std::vector<std::shared_ptr<net::Loop>> loops_;  // one a shard
  std::vector<NamespaceCounts> counts_;                  // one a shard
  std::unique_ptr<LocalAdapter> local_;
  Adapter* adapter_;  // the local one, or one that also knows other nodes
  // Immutable once connections come in.
  std::vector<Middleware> middlewares_;
  Recovery* recovery_ = nullptr;
  std::vector<std::function<void(const SocketPtr&)>> connection_handlers_;
  std::vector<std::function<void(const SocketPtr&, std::string_view)>> disconnect_handlers_;
  std::map<std::string, RawEventHandler, std::less<>> event_handlers_;
  RawEventHandler any_handler_;
  std::function<void(const Event&)> server_handler_;
  std::atomic<std::uint64_t> next_question_{0};  // of broadcasts with acknowledgements

  std::atomic<std::size_t> size_{0};
};

}  // namespace rushes::socketio
