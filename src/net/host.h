#pragma once
#include <string_view>

namespace rushes::net {

/// Whether `text` is a `Host`: a name or an address, and perhaps a port (RFC 9110, 7.2). It may be empty, which is what
/// a client sends whose URL names none. Without user names, lists and bytes beyond ASCII.
bool is_host(std::string_view text);

}  // namespace rushes::net
