#pragma once
#include "net/headers.h"

#include <string>
#include <string_view>

namespace rushes::net {

/// Whether bodies of this type shrink: text, JSON, scripts, vector pictures.
bool is_compressible(std::string_view content_type) noexcept;

/// Whether `Accept-Encoding` asks for gzip, by its weights (RFC 9110, 12.5.3), and does not like it less than none.
bool accepts_gzip(const Headers& headers);

/// The gzip form (RFC 1952) of `text`, at the speed-minded end of zlib's levels. Empty where it would not be shorter.
std::string gzip(std::string_view text);

}  // namespace rushes::net
