#pragma once
#include "net/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <string>

namespace rushes::net {

/// One client's connection: reads requests one after another, answers each, until one side is done
/// or a handshake hands the socket over.
///
/// Threads:  on its shard. Lifetime: owned by its own task.
class HttpConnection {
 public:
  HttpConnection(HttpServer& server, std::size_t shard, asio::ip::tcp::socket socket);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  Task<> serve();

  /// Whether it waits for a request, so that closing it loses nothing.
  bool idle() const noexcept { return idle_; }
  void close() noexcept;

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  class Body;
  enum class Next : std::uint8_t { keep_open, close, handed_over };

  Task<Next> serve_one();
  Task<Result<void>> read_head(Parser& parser);
  Task<Next> answer_upgrade(Request& request, const UpgradeHandler& upgrade);
  Task<Response> answer(Request& request, Body& body);
  Task<bool> write(const Request& request, Response response, bool keep_open);
  Task<bool> write_file(const FileBody& file);
  Task<bool> send(std::string_view bytes);
  /// Closes so that a client still sending sees our answer rather than a reset.
  Task<> linger();
  /// After `length` without `relax`, the socket is shut down and what waits on it fails.
  void arm(std::chrono::milliseconds length);
  void relax() noexcept { deadline_at_ = std::chrono::steady_clock::time_point::max(); }
  void watch_deadline();

  HttpServer& server_;
  const std::size_t shard_;
  asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a fired timer may come after our end
  asio::steady_timer deadline_;
  std::chrono::steady_clock::time_point deadline_at_ = std::chrono::steady_clock::time_point::max();
  bool timed_out_ = false;
  bool idle_ = true;
};

}  // namespace rushes::net
