#include "engineio/packet.h"

#include "net/utf8.h"

#include <array>

namespace rushes::engineio {
namespace {

constexpr char kSeparator = '\x1e';
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}
constexpr auto kValues = make_values();

void append_base64(std::string& out, std::string_view bytes) {
  std::uint32_t word = 0;
  int bits = 0;
  for (const char c : bytes) {
    word = (word << 8U) | static_cast<std::uint8_t>(c);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += kAlphabet[(word >> static_cast<unsigned>(bits)) & 63U];
    }
  }
  if (bits > 0) out += kAlphabet[(word << static_cast<unsigned>(6 - bits)) & 63U];
  for (auto rest = bytes.size() % 3; rest != 0 && rest < 3; ++rest) out += '=';
}

Result<std::string> decode_base64(std::string_view text) {
  const Error bad(Errc::malformed, "bad base64 in a binary message");
  if (text.ends_with('=') && text.size() % 4 != 0) return bad;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return bad;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return bad;
    word = (word << 6U) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>((word >> static_cast<unsigned>(bits)) & 0xFFU);
    }
  }
  return bytes;
}

}  // namespace

Result<Packet> decode_packet(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '6') return Error(Errc::malformed, "no Engine.IO packet");
  return Packet{static_cast<PacketType>(text.front() - '0'), text.substr(1)};
}

Result<PayloadPart> decode_part(std::string_view text) {
  PayloadPart part;
  if (text.starts_with('b')) {
    auto bytes = decode_base64(text.substr(1));
    if (!bytes) return bytes.error();
    part.binary = true;
    part.bytes = std::move(*bytes);
  } else {
    const auto packet = decode_packet(text);
    if (!packet) return packet.error();
    part.packet = *packet;
  }
  return part;
}

Result<std::vector<PayloadPart>> decode_payload(std::string_view body) {
  if (!net::is_valid_utf8(body)) return Error(Errc::malformed, "a payload that is not UTF-8");
  std::vector<PayloadPart> parts;
  for (;;) {
    const auto end = body.find(kSeparator);
    auto part = decode_part(body.substr(0, end));
    if (!part) return part.error();
    parts.push_back(std::move(*part));
    if (end == std::string_view::npos) return parts;
    body.remove_prefix(end + 1);
  }
}

std::string encode_payload(const std::vector<net::FramePtr>& packets) {
  std::size_t size = packets.size();
  for (const auto& packet : packets) size += packet->payload().size() * (packet->is_binary() ? 4 : 3) / 3 + 4;
  std::string payload;
  payload.reserve(size);
  for (const auto& packet : packets) {
    if (!payload.empty()) payload += kSeparator;
    if (packet->is_binary()) {
      payload += 'b';
      append_base64(payload, packet->payload());
    } else {
      payload += packet->payload();
    }
  }
  return payload;
}

net::FramePtr encode_base64(const net::Frame& binary) {
  std::string text;
  append_base64(text, binary.payload());
  return net::Frame::text("b", text);
}

std::string error_body(RequestError error) {
  static constexpr std::array<std::string_view, 6> kMessages{
      "Transport unknown", "Session ID unknown", "Bad handshake method",
      "Bad request",       "Forbidden",          "Unsupported protocol version"};
  const auto code = static_cast<std::size_t>(error);
  return "{\"code\":" + std::to_string(code) + ",\"message\":\"" + std::string(kMessages[code]) + "\"}";
}

int error_status(RequestError error) { return error == RequestError::forbidden ? 403 : 400; }

}  // namespace rushes::engineio
