#pragma once
#include <string>
#include <string_view>

namespace rushes::auth {

/// HMAC-SHA-256 (RFC 2104): 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);

/// Whether two texts are alike, in a time that does not tell where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace rushes::auth
