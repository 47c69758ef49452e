#pragma once
#include "async/shards.h"
#include "base/clock.h"
#include "base/random.h"
#include "engineio/session.h"
#include "net/router.h"
#include "socketio/namespace.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::socketio {

/// Defaults are those of Socket.IO where no comment says otherwise.
struct ServerOptions {
  std::string path = "/socket.io/";
  std::string sid_prefix;  // the first character of every session id, for balancers that route by it; empty: none
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::chrono::milliseconds upgrade_timeout{10'000};
  std::chrono::milliseconds connect_timeout{10'000};     // until the first namespace is joined (theirs: 45 s)
  std::chrono::milliseconds attachment_timeout{10'000};  // from a binary packet's head to its last attachment
  std::size_t max_payload = 1'000'000;                   // bytes of one message, and of one POST
  std::size_t max_backlog = 1UL << 20U;                  // bytes queued for one client; past it, it is disconnected
  std::size_t merge_above = 64UL << 10U;                 // bytes queued, past which `Broadcast::replacing` replaces
  std::size_t max_attachments = 10;
  std::size_t max_namespaces = 16;  // that one connection joins
  std::size_t max_rooms = 1'000;    // that one socket joins
  bool polling = true;
  bool websocket = true;
  bool per_message_deflate = false;  // agree on it with WebSocket clients that offer it
};

/// Limits that clients of one shard ran into. Counted on the shard, read from anywhere.
struct ConnectionCounts {
  Counter no_namespace_in_time;
  Counter attachments_late;
  Counter bad_packets;
  Counter unknown_namespaces;
  Counter too_many_namespaces;
  Counter too_many_rooms;
};

/// A Socket.IO v5 server on Engine.IO v4: the unmodified socket.io-client 4.x connects to it.
///
///   socketio::Server io(shards, options, clock, rng);
///   io.of("/chat").on("message", handler);
///   io.attach(router);
///
/// Threads:   `of`, `attach` before the HTTP server starts; `stop` from any thread outside the shards' handlers.
/// Lifetime:  `shards`, `clock` and `rng` outlive it; it outlives the HTTP server that serves its router.
class Server {
 public:
  Server(Shards& shards, ServerOptions options, const Clock& clock, Rng& rng);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// The namespace of that name, made on the first call. A client that asks for any other is told "Invalid namespace".
  Namespace& of(std::string_view name = "/");

  /// Serves polling and WebSocket at the options' path, with and without its last slash. `socket.io.js` below it, which
  /// Node's server has, is a 404 that says where to get it.
  void attach(net::Router& router);

  /// Closes every connection so that clients come back by themselves, to a server that runs again then, and
  /// refuses new ones. Safe to call twice.
  Task<> stop();

  /// What happened on each shard. Thread-safe.
  std::size_t shards() const noexcept;
  const ConnectionCounts& connection_counts(std::size_t shard) const;
  const engineio::SessionCounts& session_counts(std::size_t shard) const;
  const net::WebSocketCounts& websocket_counts(std::size_t shard) const;
  std::vector<const Namespace*> namespaces() const;

  /// Open connections, on all shards.
  std::size_t connections() const noexcept;

 private:
  friend class Namespace;
  friend class detail::Connection;
  class Impl;
  const std::string path_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rushes::socketio
