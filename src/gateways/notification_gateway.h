#pragma once
#include "gateways/token_guard.h"
#include "notifications/service.h"

namespace rushes::gateways {

/// The namespace `/notifications`: the inbox on connect, what changes in it, and the client's requests.
///
/// Threads:  hooks run on the sockets' shards; `tell` may be called from any thread.
/// Lifetime: outlives the namespace's sockets.
class NotificationGateway {
 public:
  NotificationGateway(socketio::Server& server, TokenGuard& guard, notifications::Service& service);

  /// Sends what happened to an inbox to its owner's sockets, or an announcement to all.
  void tell(const notifications::Change& change);

 private:
  using SocketPtr = std::shared_ptr<socketio::Socket>;

  Task<> greet(SocketPtr socket);
  Task<> send_unread_count(SocketPtr socket, json::array arguments, socketio::Ack ack);
  Task<> mark_read(SocketPtr socket, json::array arguments, socketio::Ack ack);
  Task<> mark_all_read(SocketPtr socket, json::array arguments, socketio::Ack ack);
  Task<> list(SocketPtr socket, json::array arguments, socketio::Ack ack);

  socketio::Namespace& nsp_;
  notifications::Service& service_;
};

}  // namespace rushes::gateways
