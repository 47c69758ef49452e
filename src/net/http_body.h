#pragma once
#include "net/http_connection.h"

namespace rushes::net {

/// The body of the request that is being read. A body of known length goes from the socket straight
/// into the reader's space; a chunked one through the parser.
class HttpConnection::Body final : public BodyReader {
 public:
  Body(HttpConnection& connection, Parser& parser, std::uint64_t limit, bool wants_continue);

  Task<Result<std::size_t>> read(std::span<char> space) override;
  std::optional<std::uint64_t> content_length() const override { return length_; }

  /// Nothing of it is left in the connection.
  bool finished() const noexcept { return finished_; }
  /// The client has not begun to send it: we never told it to go on.
  bool unsent() const noexcept { return wants_continue_; }

 private:
  Task<Result<std::size_t>> read_known(std::span<char> space);
  Task<Result<std::size_t>> read_chunked(std::span<char> space);
  Error failed(const boost::system::error_code& code) const;

  HttpConnection& connection_;
  Parser& parser_;
  const std::uint64_t limit_;
  bool wants_continue_;
  std::optional<std::uint64_t> length_;
  std::uint64_t taken_ = 0;
  bool finished_ = false;
};

}  // namespace rushes::net
