#pragma once
#include "async/shards.h"
#include "base/counters.h"
#include "base/result.h"
#include "net/address_book.h"
#include "net/entry_rules.h"
#include "net/router.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rushes::net {

struct HttpLimits {
  std::size_t max_head = 32UL << 10U;                    // bytes; above: 431
  std::size_t max_fields = 100;                          // above: 431
  std::chrono::milliseconds head_timeout{10'000};        // from the first byte of a head to its end: 408
  std::chrono::milliseconds keep_alive_timeout{75'000};  // between requests
  std::chrono::milliseconds body_stall_timeout{30'000};  // without one byte of a body that is due: 408
  std::uint64_t min_body_rate = 1'000;                   // bytes a second, averaged: 408
  std::chrono::milliseconds body_rate_grace{30'000};     // before that counts
  std::chrono::seconds memory_body_time{120};            // a larger body comes faster, so that this is enough: 408
  std::chrono::seconds stream_body_time{86'400};         // the same of one that a handler reads as it comes
  std::size_t max_body_memory = 256UL << 20U;            // bytes of all bodies; above: 503
  std::chrono::milliseconds write_timeout{60'000};       // without one byte of the answer taken
  std::size_t max_connections = 100'000;                 // WebSockets too; above: the longest idle one is closed
  AddressLimits per_address;                             // above: accepted and closed
};

struct HttpOptions {
  std::string host = "127.0.0.1";  // an address, `localhost`, or `0.0.0.0` / `::` for all
  std::uint16_t port = 3000;       // 0: any free one
  HttpLimits limits;
  EntryOptions entry;
  /// Bytes from which on a body that shrinks is sent as gzip to who takes that; 0: never.
  std::size_t compress_from = 1024;
};

/// What the HTTP connections of one shard have done. Counted on the shard, read from anywhere.
struct HttpCounts {
  std::array<Counter, 600> answers;  // by status
  Counter upgrades;
  Counter refused_origins;  // of WebSocket handshakes
  Counter shed;             // connections that were closed, being idle, so that others could come
  // Connections over a limit of theirs; on shard 0.
  Counter refused_connections;
  Counter refused_too_many;  // of one address
  Counter refused_too_fast;
};

/// HTTP/1.1 on one port, its connections spread over the shards.
///
/// Threads:   `start` and `stop` from any thread outside handlers; the rest happens on the shards.
/// Lifetime:  `shards` and `router` outlive it; stopped before `shards`.
class HttpServer {
 public:
  HttpServer(Shards& shards, const Router& router, HttpOptions options = HttpOptions());
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// Listens and returns the port. Errors: `unavailable` with host and port, where the address is in use
  /// or not ours.
  Result<std::uint16_t> start();

  /// Refuses new connections, closes idle ones, gives running requests up to `grace` to end, then cuts them.
  /// Safe to call twice, or without a start.
  Task<> stop(std::chrono::milliseconds grace = std::chrono::seconds(5));

  /// Thread-safe.
  std::size_t shards() const noexcept;
  const HttpCounts& counts(std::size_t shard) const;
  /// Open connections that HTTP has not let go of.
  std::size_t connections() const noexcept;
  /// Bytes that bodies hold, and how many bodies found no room.
  std::size_t body_bytes() const noexcept;
  std::uint64_t refused_bodies() const noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with its connections, which may end last
};

}  // namespace rushes::net
