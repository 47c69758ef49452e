#pragma once
#include "auth/identity.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

#include <chrono>
#include <string>
#include <vector>

namespace rushes::auth {

/// What a token must say beside being well signed.
struct ClaimRules {
  std::vector<std::string> issuers;    // `iss` must be one of them; empty: any, or none
  std::vector<std::string> audiences;  // one of `aud` must be one of them; empty: any, or none
  std::chrono::seconds skew{5};        // how far two machines' clocks may differ
};

/// Whom the claims speak for (RFC 7519, 4.1), at `now`: `exp` is required, `nbf`, `iss` and `aud` are held
/// against the rules, the user is `sub`, else `userId`, else `id`.
/// Errors: `unauthenticated` with public name TOKEN_INVALID or TOKEN_EXPIRED.
Result<Identity> check_claims(const json::object& claims, const ClaimRules& rules, Timestamp now);

/// Whether the identity's token still holds at `now`. Errors: TOKEN_EXPIRED.
Result<void> check_expiry(const Identity& identity, const ClaimRules& rules, Timestamp now);

/// TOKEN_INVALID with a sentence that ends in `why`.
Error token_invalid(std::string why);

}  // namespace rushes::auth
