#pragma once
#include "auth/algorithm.h"

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace rushes::auth {

/// A public key as OpenSSL holds it; immutable and shared by all that verify with it.
using PublicKey = std::shared_ptr<evp_pkey_st>;

/// The message authentication code of `text`; `algorithm` is one of HS256, HS384, HS512.
/// Never empty: throws std::runtime_error where OpenSSL fails, for an empty one would equal an empty signature.
std::string hmac(Algorithm algorithm, std::string_view secret, std::string_view text);

/// Whether two codes are alike, in a time that does not tell where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

/// Whether `signature`, in the form of RFC 7518 (for ECDSA r || s, each of the curve's length), is `key`'s over `text`.
/// The key must be of the algorithm's type; any other, and any failure of OpenSSL, is a `false`.
bool verify_signature(Algorithm algorithm, const PublicKey& key, std::string_view text, std::string_view signature);

}  // namespace rushes::auth
