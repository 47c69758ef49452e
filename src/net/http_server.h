#pragma once
#include "async/blocking_pool.h"
#include "async/shards.h"
#include "net/cors.h"
#include "net/router.h"

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace rushes::net {

struct HttpOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: a free one
  CorsPolicy cors;
  std::uint32_t max_head = 16U << 10U;  // bytes of request line and fields; above: 431
  std::size_t max_fields = 100;         // above: 431
  std::chrono::seconds head_time{10};   // for a request's head, from its first byte; above: 408
  std::chrono::seconds idle_time{75};   // between two requests
  std::chrono::seconds body_time{30};   // between two pieces of a body
  std::chrono::seconds write_time{60};  // for the client to take a piece of an answer
};

class HttpConnection;

/// An HTTP/1.1 server (RFC 9110, 9112): one acceptor, its connections spread over the shards.
///
/// Threads:  `start` and `stop` by the owner; the rest runs on the shards.
/// Lifetime: shards, router and blocking pool outlive it; `stop` before destruction.
class HttpServer {
 public:
  HttpServer(Shards& shards, const Router& router, BlockingPool& blocking, HttpOptions options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds and listens. Gives the port. Errors: `unavailable`, naming host and port.
  Result<std::uint16_t> start();

  /// Accepts nothing more, lets running requests end for up to `grace`, then closes them.
  Task<> stop(std::chrono::milliseconds grace);

 private:
  friend class HttpConnection;
  /// The connections of one shard, touched on it only.
  struct Lane {
    std::set<HttpConnection*> connections;
  };

  Task<> accept_loop();
  Task<int> close_idle(std::size_t shard);
  Task<int> close_all(std::size_t shard);

  Shards& shards_;
  const Router& router_;
  BlockingPool& blocking_;
  const HttpOptions options_;
  asio::ip::tcp::acceptor acceptor_;  // on shard 0
  std::vector<Lane> lanes_;
  std::atomic<bool> stopping_{false};
};

}  // namespace rushes::net
