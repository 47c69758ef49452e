#pragma once
#include "auth/identity.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::auth {

/// What a token must say beside being well signed, and where it says it.
///
/// A claim is named by its path: `roles`, `realm_access.roles`, `https://app.example/roles`. The name of a member that
/// is there wins over a split at a dot.
struct ClaimRules {
  std::vector<std::string> issuers{};                           // `iss` must be one of them; empty: any, or none
  std::vector<std::string> audiences{};                         // one of `aud` must be one of them; empty: any, or none
  std::chrono::seconds skew{5};                                 // how far two machines' clocks may differ
  std::vector<std::string> user_claims{"sub", "userId", "id"};  // the first that is there is the user's id
  std::vector<std::string> role_claims{"role"};                 // of all of them: texts, and lists of texts
  std::vector<std::string> admin_roles{"admin"};                // which of those mean `admin` here
  std::vector<std::string> service_roles{"service"};            // and `service`
  std::vector<std::string> role_issuers{};                      // whose roles count; empty: everyone's
};

/// Whom the claims speak for (RFC 7519, 4.1), at `now`: `exp` is required, `nbf`, `iss` and `aud` are held against the
/// rules. `issuer`: the one whose key signed; empty: any of the rules'. Where a token has no `aud` at all, its
/// `client_id`, else its `azp`, stands for it (Cognito's access tokens; RFC 9068, 2.2).
/// A user id is a text, or a whole number below 2^53, which is taken as its decimal text.
/// Errors: `unauthenticated` with public name TOKEN_INVALID or TOKEN_EXPIRED.
Result<Identity> check_claims(const json::object& claims, const ClaimRules& rules, std::string_view issuer,
                              Timestamp now);

/// The user's id as `paths` name it. Errors: TOKEN_INVALID.
Result<std::string> user_of(const json::object& claims, const std::vector<std::string>& paths);

/// Whether the identity's token still holds at `now`. Errors: TOKEN_EXPIRED.
Result<void> check_expiry(const Identity& identity, Timestamp now);

/// The member that `path` names; null where there is none.
const json::value* find_claim(const json::object& claims, std::string_view path);

/// TOKEN_INVALID with a sentence that ends in `why`.
Error token_invalid(std::string why);

}  // namespace rushes::auth
