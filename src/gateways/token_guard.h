#pragma once
#include "async/task.h"
#include "auth/authenticator.h"
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
#include <vector>

namespace rushes::gateways {

/// Lets only signed-in users into a namespace, puts each socket into its user's room, and ends a
/// socket whose token expires without a fresh one, or whose credential ends earlier: a revoked API key, a user who
/// signed out everywhere.
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
  TokenGuard(Executor executor, auth::Authenticator& credentials, const Clock& clock);

  /// Adds the check and `auth-refresh` to `nsp`. Before the server takes connections.
  void install(socketio::Namespace& nsp);

  /// Sends `auth-error` to the sockets that came with those credentials, and ends them. Threads: any.
  void end(const auth::EndedCredentials& ended);

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
  Result<auth::Identity> admit(const socketio::Socket& socket, std::string_view token, Result<auth::Identity> outcome);
  void watch(const SocketPtr& socket);
  void forget(const SocketPtr& socket);
  void sweep();
  void schedule();

  const Executor executor_;
  auth::Authenticator& credentials_;
  const Clock& clock_;

  std::vector<socketio::Namespace*> namespaces_;  // immutable once connections come in

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
