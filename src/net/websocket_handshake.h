#pragma once
#include "net/http.h"

namespace rushes::net {

/// The `Sec-WebSocket-Accept` that answers this handshake (RFC 6455, 4.2).
/// Errors: `malformed` (BAD_HANDSHAKE) for a wrong method, version or key.
Result<std::string> websocket_accept(const Request& request);

}  // namespace rushes::net
