#pragma once
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rushes::box::detail {

/// What a client asks of a door.
struct DoorRequest {
  bool report = false;  // `GET /incident`: the door itself is asked; nothing else is set but `authorization`
  bool tunnel = false;  // CONNECT
  std::string host;     // without brackets
  std::uint16_t port = 0;
  std::string authorization;  // of Proxy-Authorization; empty where absent
  // For the origin: origin form, no proxy headers, `Connection: close`, no compression; empty for CONNECT.
  std::string forward_head;
  std::uint64_t body_length = 0;
};

/// Reads a request's head, up to and with the empty line.
/// Errors: `malformed` for anything but CONNECT host:port, METHOD http://host[:port]/… and GET /incident, for user info
/// in it, and for a chunked body.
Result<DoorRequest> read_door_request(std::string_view head);

}  // namespace rushes::box::detail
