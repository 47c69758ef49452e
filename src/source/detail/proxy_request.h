#pragma once
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rushes::source::detail {

/// What a client asks of a proxy.
struct ProxyRequest {
  bool tunnel = false;  // CONNECT
  std::string host;     // without brackets
  std::uint16_t port = 0;
  std::string authorization;  // of Proxy-Authorization; empty where absent
  std::string forward_head;   // for the origin: origin form, no proxy headers, `Connection: close`; empty for CONNECT
  std::uint64_t body_length = 0;
};

/// Reads a request's head, up to and with the empty line.
/// Errors: `malformed` for anything but CONNECT host:port or METHOD http://host[:port]/…, for user info in it, and for
/// a chunked body.
Result<ProxyRequest> read_proxy_request(std::string_view head);

}  // namespace rushes::source::detail
