#include "net/websocket.h"

#include "base/text.h"

#include <algorithm>

namespace rushes::net {
namespace {

constexpr std::size_t kMaskBytes = 4;
constexpr std::uint64_t kMaxControl = 125;

bool is_control(WebSocketOpcode opcode) { return static_cast<unsigned>(opcode) >= 8; }

bool is_known(WebSocketOpcode opcode) {
  const auto number = static_cast<unsigned>(opcode);
  return number <= 2 || (number >= 8 && number <= 10);
}

// RFC 6455, 7.4: which codes a close frame may carry.
bool is_close_code(unsigned code) {
  return (code >= 1000 && code <= 1011 && code != 1004 && code != 1005 && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

std::string encode_frame_head(WebSocketOpcode opcode, std::size_t payload_bytes) {
  std::string head(1, static_cast<char>(0x80U | static_cast<unsigned>(opcode)));
  unsigned length_bytes = 0;
  if (payload_bytes < 126) {
    head += static_cast<char>(payload_bytes);
  } else if (payload_bytes <= 0xffff) {
    head += static_cast<char>(126);
    length_bytes = 2;
  } else {
    head += static_cast<char>(127);
    length_bytes = 8;
  }
  for (unsigned i = length_bytes; i > 0; --i) head += static_cast<char>(payload_bytes >> (8 * (i - 1)) & 0xffU);
  return head;
}

std::string encode_frame(WebSocketOpcode opcode, std::string_view payload) {
  return encode_frame_head(opcode, payload.size()).append(payload);
}

std::string encode_close(std::uint16_t code) {
  const std::array<char, 2> payload{static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)};
  return encode_frame(WebSocketOpcode::close, {payload.data(), payload.size()});
}

std::size_t WebSocketDecoder::head_size() const noexcept {
  if (head_bytes_.size() < 2) return 2;
  const auto length = static_cast<unsigned char>(head_bytes_[1]) & 0x7fU;
  return 2 + (length == 126 ? 2U : length == 127 ? 8U : 0U) + kMaskBytes;
}

std::optional<WebSocketDecoder::Violation> WebSocketDecoder::parse_head() {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(head_bytes_[i]); };
  head_ = Head();
  head_.final = (byte(0) & 0x80U) != 0;
  head_.opcode = static_cast<WebSocketOpcode>(byte(0) & 0x0fU);
  if ((byte(0) & 0x70U) != 0) return Violation{close_code::kProtocolError, "reserved bits"};
  if ((byte(1) & 0x80U) == 0) return Violation{close_code::kProtocolError, "not masked"};
  const unsigned short_length = byte(1) & 0x7fU;
  std::size_t at = 2;
  head_.length = short_length;
  if (short_length >= 126) {
    head_.length = 0;
    for (const auto end = at + (short_length == 126 ? 2U : 8U); at < end; ++at) {
      head_.length = head_.length << 8U | byte(at);
    }
  }
  for (auto& mask : head_.mask) mask = byte(at++);
  head_bytes_.clear();
  return check_head();
}

std::optional<WebSocketDecoder::Violation> WebSocketDecoder::check_head() const {
  if (!is_known(head_.opcode)) return Violation{close_code::kProtocolError, "unknown opcode"};
  if (is_control(head_.opcode)) {
    if (!head_.final) return Violation{close_code::kProtocolError, "fragmented control frame"};
    if (head_.length > kMaxControl) return Violation{close_code::kProtocolError, "long control frame"};
    return std::nullopt;
  }
  const bool continues = head_.opcode == WebSocketOpcode::continuation;
  if (continues != fragmented_) return Violation{close_code::kProtocolError, "fragments out of order"};
  if (head_.length > max_message_ - std::min(max_message_, message_.size())) {
    return Violation{close_code::kTooLarge, "message too large"};
  }
  return std::nullopt;
}

void WebSocketDecoder::unmask(std::span<char> bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ head_.mask[(head_.read + i) % kMaskBytes]);
  }
}

std::optional<WebSocketDecoder::Violation> WebSocketDecoder::feed(std::span<char> bytes, const OnMessage& on_message) {
  bool stopped = false;
  while (!stopped) {
    if (!in_frame_) {
      while (head_bytes_.size() < head_size() && !bytes.empty()) {
        head_bytes_ += bytes.front();
        bytes = bytes.subspan(1);
      }
      if (head_bytes_.size() < head_size()) return std::nullopt;
      if (auto violation = parse_head()) return violation;
      in_frame_ = true;
    }
    const auto left = head_.length - head_.read;
    const auto piece = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
    unmask(piece);
    bytes = bytes.subspan(piece.size());
    const bool whole = head_.read == 0 && piece.size() == head_.length;
    head_.read += piece.size();
    if (!whole) frame_.append(piece.data(), piece.size());
    if (head_.read < head_.length) return std::nullopt;
    in_frame_ = false;
    const auto frame = std::exchange(frame_, {});
    const std::string_view payload = whole ? std::string_view(piece.data(), piece.size()) : std::string_view(frame);
    if (auto violation = finish_frame(payload, on_message, stopped)) return violation;
  }
  return std::nullopt;
}

std::optional<WebSocketDecoder::Violation> WebSocketDecoder::finish_frame(std::string_view payload,
                                                                          const OnMessage& on_message, bool& stopped) {
  if (is_control(head_.opcode)) {
    if (head_.opcode == WebSocketOpcode::close && !payload.empty()) {
      if (payload.size() < 2) return Violation{close_code::kProtocolError, "close code of one byte"};
      const auto code =
          static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8U | static_cast<unsigned char>(payload[1]);
      if (!is_close_code(code)) return Violation{close_code::kProtocolError, "reserved close code"};
      if (!is_utf8(payload.substr(2))) return Violation{close_code::kInvalidPayload, "close reason not UTF-8"};
    }
    stopped = !on_message(head_.opcode, payload);
    return std::nullopt;
  }
  if (head_.opcode != WebSocketOpcode::continuation) message_opcode_ = head_.opcode;
  if (!head_.final || fragmented_) {
    message_.append(payload);
    fragmented_ = !head_.final;
    if (fragmented_) return std::nullopt;
  }
  const auto joined = std::exchange(message_, {});
  const auto message = joined.empty() ? payload : std::string_view(joined);
  if (message_opcode_ == WebSocketOpcode::text && !is_utf8(message)) {
    return Violation{close_code::kInvalidPayload, "text that is not UTF-8"};
  }
  stopped = !on_message(message_opcode_, message);
  return std::nullopt;
}

}  // namespace rushes::net
