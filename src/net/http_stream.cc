#include "net/http_connection.h"

#include <array>
#include <charconv>

// g++ 12 pairs Asio's frame allocator with the global one where a coroutine catches around a co_await.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace rushes::net {
namespace {

/// `1f\r\n`, before a chunk of that size.
std::string chunk_head(std::size_t size) {
  std::array<char, 18> text{};
  auto* end = std::to_chars(text.data(), text.data() + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {text.data(), end};
}

Task<Result<std::string>> next_piece(BodySource& source) {
  try {
    co_return co_await source.next();
  } catch (const std::exception& error) {
    co_return Error(Errc::internal, error.what());
  }
}

}  // namespace

Task<HttpConnection::Next> HttpConnection::answer_stream(Response response, bool keep_alive) {
  // HTTP/1.0 knows no chunks: there the end of the connection is that of the body.
  keep_alive = keep_alive && !http_1_0_;
  write_head(response, std::nullopt, keep_alive);
  const bool begun = co_await send_head();
  if (!begun) co_return Next::close;
  if (request_.method != "HEAD") {
    streaming_ = response.stream.get();
    watch_peer([&source = *response.stream] { source.stop(); });
    if (winding_down_) response.stream->stop();
    const bool whole = co_await write_pieces(*response.stream);
    streaming_ = nullptr;
    end_watch();
    if (!whole || winding_down_) co_return Next::close;
  }
  co_return keep_alive ? Next::keep : Next::linger;
}

Task<bool> HttpConnection::write_pieces(BodySource& source) {
  for (;;) {
    auto piece = co_await next_piece(source);
    if (!piece) {
      log::warning("net", "the answer to {} breaks off: {}", request_.path, piece.error().what());
      co_return false;
    }
    const bool last = piece->empty();
    out_.clear();
    if (!http_1_0_) {
      out_ = chunk_head(piece->size());
      *piece += "\r\n";
    }
    std::string_view head = out_;
    std::string_view rest = *piece;
    if (!head.empty() || !rest.empty()) {
      bool written = try_write(head, rest);
      if (!written) written = co_await write_rest(head, rest);
      if (!written) co_return false;
    }
    if (last) co_return true;
  }
}

}  // namespace rushes::net
