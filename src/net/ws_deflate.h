#pragma once
#include "base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rushes::net {

/// What to answer to a client's `Sec-WebSocket-Extensions`: `permessage-deflate` (RFC 7692) without context takeover in
/// either direction, so that no connection holds a window and one compressed message serves all. Nothing where the
/// client offers no such thing, or only with a smaller window than ours.
std::optional<std::string_view> accept_ws_deflate(std::string_view offers);

/// The payload of a compressed message (RFC 7692, 7.2.1).
std::string ws_deflate(std::string_view message);

/// The message in a compressed payload. Errors: `malformed`; `too_large` as soon as it is longer than `max_size`,
/// whatever there is still to come.
Result<std::string> ws_inflate(std::string_view payload, std::size_t max_size);

}  // namespace rushes::net
