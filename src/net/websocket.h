#pragma once
#include "base/result.h"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rushes::net {

// WebSocket framing (RFC 6455, section 5), without I/O.

enum class WebSocketOpcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Codes of RFC 6455, 7.4.1, that we send.
namespace close_code {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kInvalidPayload = 1007;
inline constexpr std::uint16_t kPolicy = 1008;
inline constexpr std::uint16_t kTooLarge = 1009;
}  // namespace close_code

/// The head of an unmasked, unfragmented frame, as a server sends it: 2 to 10 bytes.
std::string encode_frame_head(WebSocketOpcode opcode, std::size_t payload_bytes);
/// Such a frame, whole.
std::string encode_frame(WebSocketOpcode opcode, std::string_view payload);
std::string encode_close(std::uint16_t code);

/// Reads what a client sends: masked frames, fragments, control frames between them.
///
/// Feed it bytes as they come; it unmasks them in place and calls back for each whole message. A
/// message that lies whole in the input is not copied.
///
/// Threads:  single-owner. Cost: holds nothing between messages.
class WebSocketDecoder {
 public:
  struct Violation {
    std::uint16_t close = close_code::kProtocolError;
    std::string_view why;
  };
  /// `payload` is valid during the call. Returning false stops the decoding.
  using OnMessage = std::function<bool(WebSocketOpcode opcode, std::string_view payload)>;

  explicit WebSocketDecoder(std::size_t max_message) : max_message_(max_message) {}

  /// Nothing where all was well or `on_message` stopped it; else why the connection must be closed.
  std::optional<Violation> feed(std::span<char> bytes, const OnMessage& on_message);

 private:
  struct Head {
    bool final = false;
    WebSocketOpcode opcode = WebSocketOpcode::text;
    std::uint64_t length = 0;
    std::array<unsigned char, 4> mask{};
    std::uint64_t read = 0;  // of the payload
  };
  std::optional<Violation> parse_head();
  std::optional<Violation> check_head() const;
  std::size_t head_size() const noexcept;
  void unmask(std::span<char> bytes) noexcept;
  std::optional<Violation> finish_frame(std::string_view payload, const OnMessage& on_message, bool& stopped);

  const std::size_t max_message_;
  std::string head_bytes_;
  bool in_frame_ = false;
  Head head_;
  std::string frame_;    // of a frame that came in pieces
  std::string message_;  // of a fragmented message
  bool fragmented_ = false;
  WebSocketOpcode message_opcode_ = WebSocketOpcode::text;
};

}  // namespace rushes::net
