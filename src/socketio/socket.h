#pragma once
#include "async/task.h"
#include "base/clock.h"
#include "base/json.h"
#include "engineio/session.h"
#include "net/loop.h"
#include "socketio/event.h"
#include "socketio/handshake.h"
#include "socketio/packet.h"

#include <any>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::socketio {

namespace detail {
class Connection;
}
class Broadcast;
class Namespace;
struct NamespaceCounts;
class Socket;
using SocketPtr = std::shared_ptr<Socket>;

/// Why sockets leave, in the words that Socket.IO users know: what `on_disconnect` is given.
inline constexpr std::array<std::string_view, 8> kDisconnectReasons{"transport close",
                                                                    "transport error",
                                                                    "ping timeout",
                                                                    "parse error",
                                                                    "forced close",
                                                                    "server shutting down",
                                                                    "client namespace disconnect",
                                                                    "server namespace disconnect"};

/// Answers an event of a client that asked for an acknowledgement.
///
/// Threads:   callable on any thread; the first call counts. A copy answers the same event.
class Ack {
 public:
  Ack() = default;
  Ack(std::weak_ptr<Socket> socket, std::optional<std::uint64_t> id);

  /// Whether the client waits for an answer. Without it a call does nothing.
  bool requested() const noexcept { return state_ != nullptr; }

  template <class... T>
  void operator()(const T&... args) const {
    if (state_) answer(Arguments(args...));
  }
  void answer(const Arguments& args) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// One client in one namespace.
///
/// Handlers run on its shard. `data` belongs to the application and is touched there only.
/// Threads:   `emit`, `join`, `leave`, `disconnect` and the accessors of what is fixed (`id`, `recovered`,
///            `handshake`) are thread-safe; `auth`, `rooms`, `connected` and `data` are for its shard. A middleware
///            sees an id that is not final where the namespace has a `Recovery`.
/// Lifetime:  shared: handlers may hold it after the client went, and then sending does nothing; but not
///            longer than the Server lives.
class Socket : public std::enable_shared_from_this<Socket> {
 public:
  /// The client's answer to `emit_with_ack`; `timed_out` or `unavailable` (it went away) instead.
  using AckHandler = std::function<void(Result<Event>)>;

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  std::string_view id() const noexcept { return {id_.data(), id_.size()}; }
  const Handshake& handshake() const noexcept;
  /// What the CONNECT packet carried; an empty object where that was none.
  const json::object& auth() const noexcept;
  /// Credentials that have been checked need not stay in memory. On its shard.
  void forget_auth() { auth_.reset(); }
  Namespace& nsp() const noexcept { return namespace_; }
  const Executor& executor() const noexcept { return loop().executor(); }

  /// Sends an event: `socket->emit("subscribed", json::object{{"success", true}})`. Each argument is a
  /// JSON value, a text, a number, a boolean, `RawJson` or `Binary`. Emits of one thread keep their order. Nothing
  /// is sent before `on_connection` (from a middleware) or after the client left.
  template <class... T>
  void emit(std::string_view event, const T&... args) {
    emit_arguments(event, Arguments(args...));
  }
  void emit_arguments(std::string_view event, const Arguments& args);
  /// The same, but dropped where the client's out-queue is not empty.
  template <class... T>
  void emit_volatile(std::string_view event, const T&... args) {
    send_volatile(encode_event_of(event, Arguments(args...)));
  }
  /// The same, and `handler` runs on the socket's shard with what the client acknowledges.
  void emit_with_ack(std::string_view event, const Arguments& args, std::chrono::milliseconds timeout,
                     AckHandler handler);

  void join(std::string room);
  void leave(std::string_view room);
  /// The rooms it joined, without its own (its id).
  std::vector<std::string> rooms() const;

  /// Everybody else in the room.
  Broadcast to(std::string room) const;

  /// Leaves the namespace; the client sees "io server disconnect" and does not come back by itself.
  /// With `close_transport` it leaves all its namespaces so, and the connection ends.
  void disconnect(bool close_transport = false);

  /// Ends the connection with all its namespaces, as a cut would: a stock client comes back by itself.
  void drop_connection();

  /// Whether it is a session that went on after a cut, with its id and what it missed (see `Recovery`).
  bool recovered() const noexcept { return recovered_; }
  bool connected() const noexcept { return connected_; }
  /// Whether the client takes less than it is sent, at the moment: output waits for its socket. On its shard.
  bool congested() const noexcept;
  /// Bytes that wait for the client, of all its namespaces. On its shard.
  std::size_t backlog() const noexcept;

  /// Runs once, on its shard, with one of kDisconnectReasons.
  void on_disconnect(std::function<void(std::string_view reason)> handler);

  std::any data;

 private:
  friend class Namespace;
  friend class detail::Connection;
  friend class LocalAdapter;
  friend class Ack;
  struct Places;
  struct Waits;
  struct Held;
  struct Key {
    explicit Key() = default;
  };

 public:
  /// For the library itself, which alone has a Key.
  Socket(Key key, Namespace& nsp, std::shared_ptr<detail::Connection> connection, std::string_view id,
         json::object auth);

 private:
  EncodedPacket encode_event_of(std::string_view event, const Arguments& args) const;
  void send_volatile(EncodedPacket packet);
  /// Sends `packet`, which asks for acknowledgement `id`. On its shard.
  void ask(const EncodedPacket& packet, std::uint64_t id, std::chrono::milliseconds timeout, AckHandler handler);
  void send(const EncodedPacket& packet);
  NamespaceCounts& counts() noexcept;
  net::Loop& loop() const noexcept;
  /// What is sent from now on waits, until `release`; from then on what stands in the log up to `order` is left out.
  void hold();
  void release(std::uint64_t order);
  /// It is out: the rooms, the handlers and what waits for acknowledgements learn it.
  void depart(std::string_view reason);
  void take_ack(std::uint64_t id, Event answer);
  void fail_ack(std::uint64_t id, const Error& error);
  void leave_by_server();
  /// Its client has come back by another connection; this one is dead.
  void give_way();

  engineio::SessionId id_;  // as it was, where it recovers: set before it is connected
  bool recovered_ = false;
  bool connected_ = false;  // touched on its shard only
  bool left_ = false;       // for good; the same
  const std::uint16_t shard_;
  Namespace& namespace_;
  const std::shared_ptr<detail::Connection> connection_;
  std::unique_ptr<const json::object> auth_;  // null: empty
  // Touched on its shard only.
  std::unique_ptr<Places> places_;
  std::unique_ptr<Waits> waits_;  // for acknowledgements
  std::unique_ptr<Held> held_;    // while it gets what it missed
  std::uint64_t had_ = 0;         // up to here it has had the log's events that it missed
  std::unique_ptr<std::vector<std::function<void(std::string_view)>>> disconnect_handlers_;
};

}  // namespace rushes::socketio
