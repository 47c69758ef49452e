#pragma once
#include "base/result.h"
#include "net/frame.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::engineio {

/// Engine.IO v4 packet types, with their numbers on the wire.
enum class PacketType : std::uint8_t { open, close, ping, pong, message, upgrade, noop };

/// One packet of a WebSocket text message or of a part of a polling payload.
struct Packet {
  PacketType type = PacketType::noop;
  std::string_view body;
};

/// Errors: `malformed` for an empty text or an unknown type. The result borrows from `text`.
Result<Packet> decode_packet(std::string_view text);

/// A part of a polling payload, or a WebSocket text message: a packet, or (`b` and base64) the bytes of a binary
/// message.
struct PayloadPart {
  Packet packet;
  bool binary = false;
  std::string bytes;  // decoded, of a binary message
};

/// Errors: `malformed` for what `decode_packet` refuses, or bad base64. The packet borrows from `text`.
Result<PayloadPart> decode_part(std::string_view text);

/// Splits a POST body at its record separators (0x1e).
/// Errors: `malformed` for a bad packet or base64, or text that is not UTF-8; then no part counts.
Result<std::vector<PayloadPart>> decode_payload(std::string_view body);

/// The answer to a poll: packets joined by the record separator; binary messages become base64.
std::string encode_payload(const std::vector<net::FramePtr>& packets);

/// A binary message as text, for clients that take no binary frames (`b64=1`).
net::FramePtr encode_base64(const net::Frame& binary);

/// Why a request is refused, as clients know it.
enum class RequestError : std::uint8_t {
  transport_unknown,
  session_unknown,
  bad_method,
  bad_request,
  forbidden,
  unsupported_version,
};
/// `{"code":1,"message":"Session ID unknown"}`.
std::string error_body(RequestError error);
int error_status(RequestError error);

}  // namespace rushes::engineio
