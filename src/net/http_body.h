#pragma once
#include "net/chunked.h"
#include "net/http_connection.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace rushes::net {

/// The body of the present request of a connection, of known length or chunked.
class HttpConnection::Body final : public BodyReader {
 public:
  Body(HttpConnection& connection, const RequestHead& head, std::uint64_t limit);

  Task<Result<std::size_t>> read(std::span<char> buffer) override;
  std::optional<std::uint64_t> content_length() const noexcept override { return length_; }

  /// The whole body, of known length, where all of it has come already.
  bool take_all(std::string& into);
  /// The whole body into `into`, which grows as it comes.
  Task<Result<bool>> read_all(std::string& into);
  /// Whether nothing of it is left on the connection.
  bool ended() const noexcept { return ended_; }

 private:
  Task<Result<std::size_t>> read_known(std::span<char> buffer);
  Task<Result<std::size_t>> read_chunked(std::span<char> buffer);
  Error failure();
  bool too_slow() const;

  HttpConnection& connection_;
  const std::optional<std::uint64_t> length_;
  const std::uint64_t limit_;
  std::uint64_t taken_ = 0;
  ChunkDecoder chunks_;
  bool chunked_;
  bool continue_due_;
  bool ended_;
  std::optional<Error> failed_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace rushes::net
