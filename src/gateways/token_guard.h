#pragma once
#include "async/task.h"
#include "auth/jwt.h"
#include "socketio/namespace.h"
#include "socketio/server.h"
#include "socketio/socket.h"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace rushes::gateways {

/// Lets only signed-in users into a namespace, puts each socket into its user's room, and ends a
/// socket whose token expires without a fresh one.
///
/// The token is looked for in the CONNECT packet's `auth.token`, then in the handshake's
/// `Authorization` header. A client stays signed in by the event `auth-refresh` with `{token}`.
///
/// While a token cannot be judged, for its keys cannot be had, the connection ends instead of being refused, and so
/// does one whose fresh token could not be judged before the old one expired: stock clients come back from that by
/// themselves.
///
/// Threads:  hooks run on the sockets' shards; what it keeps is touched on `executor` only.
/// Lifetime: outlives the namespace's sockets; `stop` before destruction.
class TokenGuard {
 public:
  TokenGuard(Executor executor, const auth::TokenVerifier& tokens, const Clock& clock);

  /// Adds the check and `auth-refresh` to `nsp`. Before the server takes connections.
  void install(socketio::Namespace& nsp);

  /// On `executor`.
  void stop();

  /// How many sockets end when their token expires. Threads: any.
  std::size_t watched() const noexcept { return watched_.load(std::memory_order_relaxed); }

  /// The room of all of a user's sockets.
  static std::string room_of(const UserId& user) { return "user:" + user.value(); }

 private:
  using SocketPtr = std::shared_ptr<socketio::Socket>;

  Task<std::optional<socketio::ConnectError>> check(SocketPtr socket);
  Task<> refresh(SocketPtr socket, json::array arguments, socketio::Ack ack);
  void watch(const SocketPtr& socket);
  void forget(const SocketPtr& socket);
  void sweep();
  void schedule();

  const Executor executor_;
  const auth::TokenVerifier& tokens_;
  const Clock& clock_;

  // On executor_ only.
  using Key = std::pair<Timestamp, const socketio::Socket*>;
  std::map<Key, std::weak_ptr<socketio::Socket>> expiries_;  // of connected sockets
  std::set<const socketio::Socket*> unjudged_;               // those of them whose fresh token could not be judged
  asio::steady_timer timer_;
  bool stopped_ = false;

  std::atomic<std::size_t> watched_{0};  // those in expiries_
};

/// Who a socket belongs to; set by the guard before any other hook sees it.
const auth::Identity& identity_of(const socketio::Socket& socket);

}  // namespace rushes::gateways
