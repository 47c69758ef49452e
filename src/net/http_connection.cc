#include "net/http_connection.h"

#include "base/file.h"
#include "base/text.h"
#include "net/http_body.h"
#include "net/websocket_handshake.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace rushes::net {
namespace http = boost::beast::http;
namespace {

constexpr std::size_t kFileChunk = std::size_t{256} << 10U;
constexpr std::uint64_t kLingerBytes = std::uint64_t{64} << 20U;
constexpr std::chrono::seconds kLingerTime{2};

Error head_problem(const boost::system::error_code& code) {
  if (code == http::error::header_limit || code == http::error::buffer_overflow) {
    return Error::for_user(Errc::too_large, "HEAD_TOO_LARGE", "The request's head is too long.");
  }
  return Error::for_user(Errc::malformed, "BAD_REQUEST", "The request is not HTTP/1.1: " + code.message() + ".");
}

Request read_request(const http::request_header<>& head, const asio::ip::tcp::endpoint& from) {
  Request request;
  request.method = head.method_string();
  request.target = head.target();
  const std::string_view target = request.target;
  const auto question = std::min(target.find('?'), target.size());
  request.path = percent_decode(target.substr(0, question));
  request.query = target.substr(std::min(question + 1, target.size()));
  for (const auto& field : head) request.headers.add(std::string(field.name_string()), std::string(field.value()));
  request.remote_address = from.address().to_string();
  request.from_loopback = from.address().is_loopback();
  return request;
}

bool wants_upgrade(const Request& request) {
  return equals_ignore_case(request.headers.find("upgrade").value_or(""), "websocket");
}

}  // namespace

HttpConnection::HttpConnection(HttpServer& server, std::size_t shard, asio::ip::tcp::socket socket)
    : server_(server),
      shard_(shard),
      socket_(std::move(socket)),
      buffer_(server.options_.max_head),
      deadline_(socket_.get_executor()) {
  server_.lanes_[shard_].connections.insert(this);
}

HttpConnection::~HttpConnection() { server_.lanes_[shard_].connections.erase(this); }

void HttpConnection::close() noexcept {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
}

void HttpConnection::arm(std::chrono::milliseconds length) {
  const bool watched = deadline_at_ != std::chrono::steady_clock::time_point::max();
  deadline_at_ = std::chrono::steady_clock::now() + length;
  // The timer may be set for later than this, from an earlier request; then it must come sooner.
  if (!watched && (deadline_.expiry() > deadline_at_ || deadline_.expiry() <= std::chrono::steady_clock::now())) {
    watch_deadline();
  }
}

void HttpConnection::watch_deadline() {
  deadline_.expires_at(deadline_at_);
  deadline_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](boost::system::error_code cancelled) {
    if (cancelled || alive.expired() || deadline_at_ == std::chrono::steady_clock::time_point::max()) return;
    if (deadline_at_ > std::chrono::steady_clock::now()) {
      watch_deadline();
      return;
    }
    timed_out_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  });
}

Task<> HttpConnection::serve() {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  auto next = Next::keep_open;
  while (next == Next::keep_open) next = co_await serve_one();
  deadline_.cancel();
}

Task<Result<void>> HttpConnection::read_head(Parser& parser) {
  // The first byte may come late, between two requests; the rest of a head may not.
  boost::system::error_code code;
  idle_ = true;
  if (buffer_.size() == 0) {
    arm(server_.options_.idle_time);
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, code));
    relax();
    if (code || server_.stopping_) co_return Error(Errc::cancelled, "closed between requests");
  }
  idle_ = false;
  arm(server_.options_.head_time);
  co_await http::async_read_header(socket_, buffer_, parser, asio::redirect_error(asio::use_awaitable, code));
  relax();
  if (timed_out_) {
    co_return Error::for_user(Errc::timed_out, "HEAD_TIMEOUT", "The request's head did not come in time.");
  }
  if (code == http::error::end_of_stream || (code && code.category() == boost::system::system_category()) ||
      code == asio::error::eof) {
    co_return Error(Errc::cancelled, "closed by the client");
  }
  if (code) co_return head_problem(code);
  const auto& fields = parser.get().base();
  if (static_cast<std::size_t>(std::distance(fields.begin(), fields.end())) > server_.options_.max_fields) {
    co_return head_problem(http::make_error_code(http::error::header_limit));
  }
  co_return Result<void>();
}

Task<HttpConnection::Next> HttpConnection::serve_one() {
  Parser parser;
  parser.header_limit(server_.options_.max_head);
  parser.body_limit(boost::none);
  const auto head = co_await read_head(parser);
  Request request;
  if (!head) {
    if (head.error().code() == Errc::cancelled) co_return Next::close;
    auto refused = problem(head.error());
    if (head.error().public_name() == "HEAD_TOO_LARGE") refused.status = 431;
    if (head.error().public_name() == "HEAD_TIMEOUT") refused.status = 408;
    co_await write(request, std::move(refused), false);
    co_await linger();
    co_return Next::close;
  }

  boost::system::error_code gone;
  const auto from = socket_.remote_endpoint(gone);
  if (gone) co_return Next::close;
  request = read_request(parser.get().base(), from);
  if (const auto* upgrade = server_.router_.upgrade(request.path); upgrade != nullptr && wants_upgrade(request)) {
    co_return co_await answer_upgrade(request, *upgrade);
  }

  const auto match = server_.router_.match(request);
  const auto limit = match.route == nullptr ? RouteOptions().max_body : match.route->options.max_body;
  const bool expects = equals_ignore_case(request.headers.find("expect").value_or(""), "100-continue");
  Body body(*this, parser, limit, expects);
  Response response;
  try {
    if (server_.options_.cors.answer_preflight(request, response)) {
    } else if (match.route != nullptr) {
      request.stream = match.route->options.streaming ? &body : nullptr;
      response = co_await answer(request, body);
    } else if (!match.allowed.empty()) {
      response = problem(Error::for_user(Errc::invalid_argument, "METHOD_NOT_ALLOWED",
                                         request.method + " is not allowed here; allowed: " + match.allowed + "."));
      response.status = 405;
      response.headers.add("Allow", match.allowed);
    } else if (server_.router_.fallback() && (request.method == "GET" || request.method == "HEAD")) {
      response = co_await server_.router_.fallback()(request);
    } else {
      response = problem(
          Error::for_user(Errc::not_found, "NO_ROUTE", "There is nothing at " + shorten(request.path, 100) + "."));
    }
  } catch (const std::exception& error) {
    log::error("http", "{} {} threw: {}", request.method, request.path, error.what());
    response = problem(Error(Errc::internal, error.what()));
  }
  const bool keep_open = parser.keep_alive() && body.finished() && !server_.stopping_;
  const bool written = co_await write(request, std::move(response), keep_open);
  if (written && !body.finished()) co_await linger();
  co_return written&& keep_open ? Next::keep_open : Next::close;
}

Task<Response> HttpConnection::answer(Request& request, Body& body) {
  const auto match = server_.router_.match(request);
  const auto& route = *match.route;
  if (!route.options.streaming) {
    if (body.content_length().value_or(0) > route.options.max_body) {
      co_return problem(Error::for_user(Errc::too_large, "BODY_TOO_LARGE",
                                        "The request has " + to_human_size(*body.content_length()) + "; at most " +
                                            to_human_size(route.options.max_body) + " are taken here."));
    }
    request.body.resize(body.content_length().value_or(4096));
    std::size_t filled = 0;
    while (!body.finished()) {
      if (filled == request.body.size()) request.body.resize(filled * 2 + 4096);
      const auto got = co_await body.read(std::span(request.body).subspan(filled));
      if (!got) co_return problem(got.error());
      filled += *got;
    }
    request.body.resize(filled);
  }
  co_return co_await route.handler(request);
}

Task<HttpConnection::Next> HttpConnection::answer_upgrade(Request& request, const UpgradeHandler& upgrade) {
  auto accept = websocket_accept(request);
  std::variant<Response, TakeOver> decision;
  if (!accept) {
    decision = problem(accept.error());
  } else if (!server_.options_.cors.allows(request)) {
    decision = problem(Error::for_user(Errc::forbidden, "ORIGIN_REFUSED", "This origin may not connect."));
  } else {
    decision = co_await upgrade(request);
  }
  if (auto* refused = std::get_if<Response>(&decision)) {
    co_await write(request, std::move(*refused), false);
    co_return Next::close;
  }
  const bool sent = co_await send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      *accept + "\r\n\r\n");
  if (!sent) co_return Next::close;
  deadline_.cancel();
  const auto rest = buffer_.data();
  std::get<TakeOver>(decision)(std::move(socket_), std::string(static_cast<const char*>(rest.data()), rest.size()));
  co_return Next::handed_over;
}

Task<bool> HttpConnection::write(const Request& request, Response response, bool keep_open) {
  server_.options_.cors.add_headers(request, response);
  const std::string_view body = response.static_body.empty() ? std::string_view(response.body) : response.static_body;
  const auto length = response.file ? response.file->length : body.size();
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += reason_phrase(response.status);
  head += "\r\n";
  for (const auto& [name, value] : response.headers) head.append(name).append(": ").append(value).append("\r\n");
  if (response.status != 204) head += "Content-Length: " + std::to_string(length) + "\r\n";
  if (!keep_open) head += "Connection: close\r\n";
  head += "\r\n";
  const bool with_body = request.method != "HEAD" && response.status != 204 && response.status != 304;
  if (!with_body) co_return co_await send(head);
  if (response.file) co_return co_await send(head) && co_await write_file(*response.file);

  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(body)};
  boost::system::error_code code;
  arm(server_.options_.write_time);
  co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, code));
  relax();
  co_return !code;
}

Task<bool> HttpConnection::write_file(const FileBody& file) {
  const FileDescriptor opened(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) co_return false;
  std::string chunk(std::min<std::uint64_t>(kFileChunk, file.length), '\0');
  for (std::uint64_t at = 0; at < file.length;) {
    const auto wanted = std::min<std::uint64_t>(chunk.size(), file.length - at);
    auto work = [&chunk, fd = opened.get(), wanted, offset = file.offset + at] {
      return ::pread(fd, chunk.data(), wanted, static_cast<off_t>(offset));
    };
    const auto got = co_await server_.blocking_.run(std::move(work));
    if (got <= 0) co_return false;
    const std::string_view piece(chunk.data(), static_cast<std::size_t>(got));
    if (!co_await send(piece)) co_return false;
    at += piece.size();
  }
  co_return true;
}

Task<bool> HttpConnection::send(std::string_view bytes) {
  boost::system::error_code code;
  arm(server_.options_.write_time);
  co_await asio::async_write(socket_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, code));
  relax();
  co_return !code;
}

Task<> HttpConnection::linger() {
  boost::system::error_code code;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, code);
  arm(kLingerTime);
  std::string waste(std::size_t{64} << 10U, '\0');
  for (std::uint64_t drained = 0; drained < kLingerBytes && !code;) {
    drained += co_await socket_.async_read_some(asio::buffer(waste), asio::redirect_error(asio::use_awaitable, code));
  }
  relax();
}

}  // namespace rushes::net
