#pragma once
#include "base/json.h"
#include "base/result.h"

#include <string>
#include <string_view>

namespace rushes::app::cli {

/// One text message of Engine.IO v4 from a server, with the Socket.IO v5 packet in it, as a client needs it.
struct LivePacket {
  enum class Kind : unsigned char {
    open,          // body: the handshake {sid, pingInterval, pingTimeout, …}
    close,         // the server ends the session
    ping,          // asks for a pong
    connected,     // body: {sid, pid?}
    refused,       // body: {message, data?}
    disconnected,  // from the namespace
    event,         // body: [name, argument…]
    acknowledged,  // body: the arguments
    other,         // nothing that concerns us: a pong, a no-op, a binary packet
  };
  Kind kind = Kind::other;
  std::string name_space = "/";
  json::value body;
};

/// Errors: `malformed` for what no server of these protocols sends.
Result<LivePacket> parse_live_packet(std::string_view message);

/// The packet that asks to join `name_space` with `auth`.
std::string connect_packet(std::string_view name_space, const json::object& auth);

/// The packet of an event without arguments that asks for acknowledgement number `id`.
std::string event_packet(std::string_view name_space, int id, std::string_view event);

}  // namespace rushes::app::cli
