#pragma once
#include "base/result.h"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace rushes::box {

// Between the server and a boxed process goes a stream of messages over a socket pair: four bytes of length, least
// significant first, then the text.

/// Of an order, which may hold the checkpoints of earlier attempts.
constexpr std::size_t kMaxMessageBytes = std::size_t{64} << 20U;
/// Of what a box says, which the server must hold several times over: a result with an hour's transcript is about 2
/// MiB; what is longer than this is a broken peer, or a hostile one.
constexpr std::size_t kMaxAnswerBytes = std::size_t{32} << 20U;
constexpr std::size_t kLengthBytes = 4;

std::string encode_length(std::size_t bytes);
/// Errors: `malformed` above `most`.
Result<std::size_t> decode_length(std::string_view four_bytes, std::size_t most = kMaxMessageBytes);

/// The boxed process's end. Blocking.
///
/// Threads: one receives, any sends.
class Channel {
 public:
  /// False once the server is gone.
  bool send(std::string_view text) const;
  /// Nothing once the server is gone.
  std::optional<std::string> receive() const;

 private:
  mutable std::mutex sending_;
};

}  // namespace rushes::box
