#pragma once
#include "net/frame.h"
#include "socketio/event.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::socketio {

enum class PacketType : std::uint8_t { connect, disconnect, event, ack, connect_error, binary_event, binary_ack };

/// One Socket.IO v5 packet, decoded. Attachments follow in messages of their own.
struct Packet {
  PacketType type = PacketType::event;
  std::string nsp = "/";
  std::optional<std::uint64_t> id;
  json::value data;  // null where there was none
  std::size_t attachments = 0;
};

/// An outgoing packet, ready for the wire: one text frame, then its attachments.
struct EncodedPacket {
  net::FramePtr text;
  std::vector<net::FramePtr> attachments{};
  std::uint64_t order = 0;  // its place in the recovery log; 0: it is not in it
};

struct PacketLimits {
  std::size_t max_attachments = 10;
};

/// Reads the text of one Socket.IO packet (without Engine.IO's `4`).
/// Errors: `malformed` for everything that the protocol does not allow: unknown type, bad JSON, an event
/// without a name or with a reserved one, a bad id, a number of attachments out of bounds.
Result<Packet> decode_packet(std::string_view text, const PacketLimits& limits = PacketLimits());

/// Checks that each placeholder in `data` names one of `attachments`, each exactly once. Error: `malformed`.
Result<void> check_placeholders(const json::value& data, std::size_t attachments);

/// Names that the protocol keeps for itself: connect, connect_error, disconnect, disconnecting, newListener,
/// removeListener.
bool is_reserved_event(std::string_view name) noexcept;

EncodedPacket encode_event(std::string_view nsp, std::string_view event, const Arguments& args,
                           std::optional<std::uint64_t> id = std::nullopt, std::uint64_t topic = 0);
EncodedPacket encode_ack(std::string_view nsp, std::uint64_t id, const Arguments& args);
/// `pid` is empty where sessions cannot be recovered.
EncodedPacket encode_connect(std::string_view nsp, std::string_view sid, std::string_view pid);
EncodedPacket encode_connect_error(std::string_view nsp, std::string_view message, const json::value& data);
EncodedPacket encode_disconnect(std::string_view nsp);

}  // namespace rushes::socketio
