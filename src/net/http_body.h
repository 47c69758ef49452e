#pragma once
#include "net/body_budget.h"
#include "net/chunked.h"
#include "net/http_connection.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace rushes::net {

/// The body of the present request of a connection, of known length or chunked.
///
/// The client has so much time for it as the least rate gives: `HttpLimits::min_body_rate`, or more where the body is
/// so large that it would take longer than `memory_body_time` (held in memory) or `stream_body_time` (read as it
/// comes). Only what is spent waiting for the client counts.
class HttpConnection::Body final : public BodyReader {
 public:
  Body(HttpConnection& connection, const RequestHead& head, std::uint64_t limit);

  Task<Result<std::size_t>> read(std::span<char> buffer) override;
  Task<Result<void>> read_all(std::string& into) override;
  bool take_all(std::string& into) override;
  Result<void> hold(std::size_t bytes) override;
  std::optional<std::uint64_t> content_length() const noexcept override { return length_; }

  /// Whether nothing of it is left on the connection.
  bool ended() const noexcept { return ended_; }
  bool timed_out() const noexcept { return failed_ && failed_->code() == Errc::timed_out; }
  /// Bytes a second.
  std::uint64_t least_rate() const noexcept;
  /// Whether it is worth reading to its end only to keep the connection.
  bool is_small() const noexcept;
  /// Passes over what the handler left, as far as it has come.
  void skip_arrived();
  /// Passes over all of it. False: it does not come.
  Task<bool> skip();
  /// The handler has ended; what it held is free.
  void release() { lease_.release(); }

 private:
  Task<Result<std::size_t>> read_known(std::span<char> buffer);
  Task<Result<std::size_t>> read_chunked(std::span<char> buffer);
  /// Takes what it can from the connection's input.
  std::size_t take_chunks(std::span<char> buffer);
  Task<bool> send_continue();
  /// Waits until the socket has something. False: the client is gone or too slow.
  Task<bool> input_comes();
  /// Makes room behind what `into` holds, twice as much as before where it has to grow.
  Result<void> make_room(std::string& into);
  Error failure();
  std::chrono::milliseconds patience() const;

  HttpConnection& connection_;
  const std::optional<std::uint64_t> length_;
  const std::uint64_t limit_;
  std::uint64_t taken_ = 0;
  ChunkDecoder chunks_;
  const bool chunked_;
  bool continue_due_;
  bool ended_;
  bool in_memory_ = false;
  bool slow_ = false;
  std::optional<Error> failed_;
  std::chrono::nanoseconds waited_{0};
  BodyBudget::Lease lease_;
};

}  // namespace rushes::net
