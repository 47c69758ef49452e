#include "net/http_body.h"

#include "base/text.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

#include <algorithm>
#include <cstring>

namespace rushes::net {
namespace http = boost::beast::http;

HttpConnection::Body::Body(HttpConnection& connection, Parser& parser, std::uint64_t limit, bool wants_continue)
    : connection_(connection), parser_(parser), limit_(limit), wants_continue_(wants_continue) {
  if (!parser.chunked()) {
    const auto announced = parser.content_length();
    length_ = announced ? *announced : 0;
    finished_ = *length_ == 0;
  }
}

Task<Result<std::size_t>> HttpConnection::Body::read(std::span<char> space) {
  if (finished_ || space.empty()) co_return std::size_t{0};
  if (length_.value_or(0) > limit_) co_return Error(Errc::too_large, "body over the limit");
  if (wants_continue_) {
    wants_continue_ = false;
    if (!co_await connection_.send("HTTP/1.1 100 Continue\r\n\r\n")) {
      co_return Error(Errc::unavailable, "the client is gone");
    }
  }
  connection_.arm(connection_.server_.options_.body_time);
  auto got = length_ ? co_await read_known(space) : co_await read_chunked(space);
  connection_.relax();
  if (!got) co_return got.error();
  taken_ += *got;
  if (taken_ > limit_) {
    co_return Error::for_user(Errc::too_large, "BODY_TOO_LARGE",
                              "The request is larger than the " + to_human_size(limit_) + " that are taken here.");
  }
  if (length_ && taken_ == *length_) finished_ = true;
  co_return got;
}

Task<Result<std::size_t>> HttpConnection::Body::read_known(std::span<char> space) {
  const auto wanted = std::min<std::uint64_t>(space.size(), *length_ - taken_);
  auto& buffer = connection_.buffer_;
  if (buffer.size() > 0) {
    const auto taken = std::min<std::uint64_t>(wanted, buffer.size());
    std::memcpy(space.data(), buffer.data().data(), taken);
    buffer.consume(taken);
    co_return taken;
  }
  boost::system::error_code code;
  const auto got = co_await connection_.socket_.async_read_some(asio::buffer(space.data(), wanted),
                                                                asio::redirect_error(asio::use_awaitable, code));
  if (code) co_return failed(code);
  co_return got;
}

Task<Result<std::size_t>> HttpConnection::Body::read_chunked(std::span<char> space) {
  auto& body = parser_.get().body();
  body.data = space.data();
  body.size = space.size();
  while (body.size == space.size() && !parser_.is_done()) {
    boost::system::error_code code;
    co_await http::async_read_some(connection_.socket_, connection_.buffer_, parser_,
                                   asio::redirect_error(asio::use_awaitable, code));
    if (code == http::error::need_buffer) code = {};
    if (code) co_return failed(code);
  }
  if (parser_.is_done()) finished_ = true;
  co_return space.size() - body.size;
}

Error HttpConnection::Body::failed(const boost::system::error_code& code) const {
  if (connection_.timed_out_) return {Errc::timed_out, "the body did not come"};
  if (code.category() == http::make_error_code(http::error::end_of_stream).category()) {
    return {Errc::malformed, "body: " + code.message()};
  }
  return {Errc::unavailable, "the client is gone: " + code.message()};
}

}  // namespace rushes::net
