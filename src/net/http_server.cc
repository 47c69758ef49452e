#include "net/http_server.h"

#include "net/http_connection.h"

#include <boost/asio/redirect_error.hpp>

namespace rushes::net {
namespace {

Task<> serve_connection(HttpServer& server, std::size_t shard, asio::ip::tcp::socket socket) {
  HttpConnection connection(server, shard, std::move(socket));
  co_await connection.serve();
}

}  // namespace

HttpServer::HttpServer(Shards& shards, const Router& router, BlockingPool& blocking, HttpOptions options)
    : shards_(shards),
      router_(router),
      blocking_(blocking),
      options_(std::move(options)),
      acceptor_(shards.executor(0)),
      lanes_(shards.size()) {}

HttpServer::~HttpServer() = default;

Result<std::uint16_t> HttpServer::start() {
  boost::system::error_code failed;
  const auto refuse = [&] {
    return Error(Errc::unavailable,
                 "cannot listen on " + options_.host + ":" + std::to_string(options_.port) + ": " + failed.message());
  };
  const auto address = asio::ip::make_address(options_.host == "localhost" ? "127.0.0.1" : options_.host, failed);
  if (failed) return refuse();
  const asio::ip::tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), failed);
  if (!failed) acceptor_.set_option(asio::ip::tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(4096, failed);
  if (failed) return refuse();
  spawn_detached(shards_.executor(0), "http", accept_loop());
  return acceptor_.local_endpoint().port();
}

Task<> HttpServer::accept_loop() {
  for (std::size_t next = 0; !stopping_; next = (next + 1) % shards_.size()) {
    boost::system::error_code failed;
    asio::ip::tcp::socket socket(shards_.loop(next));
    co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, failed));
    if (failed == asio::error::operation_aborted) co_return;
    if (failed) {
      log::warning("http", "cannot accept: {}", failed.message());
      co_await sleep_for(std::chrono::milliseconds(50));  // out of descriptors: some will come free
      continue;
    }
    spawn_detached(shards_.executor(next), "http", serve_connection(*this, next, std::move(socket)));
  }
}

Task<int> HttpServer::close_idle(std::size_t shard) {
  for (auto* connection : lanes_[shard].connections) {
    if (connection->idle()) connection->close();
  }
  co_return static_cast<int>(lanes_[shard].connections.size());
}

Task<int> HttpServer::close_all(std::size_t shard) {
  for (auto* connection : lanes_[shard].connections) connection->close();
  co_return static_cast<int>(lanes_[shard].connections.size());
}

Task<> HttpServer::stop(std::chrono::milliseconds grace) {
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  const auto until = std::chrono::steady_clock::now() + grace;
  for (int left = 1; left > 0;) {
    const bool patient = std::chrono::steady_clock::now() < until;
    left = 0;
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      left += co_await run_on(shards_.executor(shard), patient ? close_idle(shard) : close_all(shard));
    }
    if (left > 0) co_await sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace rushes::net
