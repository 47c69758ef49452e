#pragma once
#include "auth/identity.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

#include <chrono>
#include <string>
#include <string_view>

namespace rushes::auth {

/// Checks JSON Web Tokens (RFC 7519) in their compact form, signed with HMAC-SHA-256.
///
/// The algorithm is fixed by the key, never chosen by the token (RFC 8725, 3.1): `none`, and an
/// asymmetric name over our secret, are refused as wrongly signed. `jku`, `jwk`, `x5u` and `kid`
/// are ignored; `crit` is refused. `exp` is required.
///
/// Threads: thread-safe; immutable.
/// Errors:  `unauthenticated` with public names TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED.
class TokenVerifier {
 public:
  /// `skew`: how far two machines' clocks may differ.
  TokenVerifier(std::string secret, const Clock& clock, std::chrono::seconds skew = std::chrono::seconds(5));

  /// `token` with or without a leading `Bearer `.
  Result<Identity> verify(std::string_view token) const;

 private:
  const std::string secret_;
  const Clock& clock_;
  const std::chrono::seconds skew_;
};

/// A token with `claims`, signed with HMAC-SHA-256: for development, tests and the command line.
std::string sign_token(std::string_view secret, const json::object& claims);

}  // namespace rushes::auth
