#pragma once
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rushes {

/// URL-safe base64 without padding (RFC 4648, section 5), as JWT and session ids use it.
std::string base64url_encode(std::string_view bytes);

/// Errors: `malformed` for a character outside the alphabet, padding, an impossible length, or bits beyond the last
/// byte.
Result<std::string> base64url_decode(std::string_view text);

/// Whether `text` is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text) noexcept;

std::string_view trim(std::string_view text) noexcept;
std::string to_lower_ascii(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b) noexcept;

/// At most `max_bytes` of `text`, cut at a character's border, with `…` where something was cut.
std::string shorten(std::string_view text, std::size_t max_bytes);

/// `0:42`, `3:10`, `1:02:03`: how the contract writes times in chapters and messages.
std::string to_clock_time(double seconds);

/// `2 GiB`, `1.5 MiB`, `12 bytes`: sizes for people.
std::string to_human_size(std::uint64_t bytes);

}  // namespace rushes
