#include "auth/claims.h"

#include "base/text.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace rushes::auth {
namespace {

constexpr std::size_t kMaxUserIdBytes = 256;

// NumericDate (RFC 7519, section 2): seconds, possibly with a fraction.
std::optional<Timestamp> time_claim(const json::object& claims, std::string_view name) {
  const auto* claim = claims.if_contains(name);
  if (claim == nullptr || !claim->is_number()) return std::nullopt;
  const auto seconds = claim->to_number<double>();
  if (!std::isfinite(seconds) || std::abs(seconds) > 1e11) return std::nullopt;
  return from_millis(static_cast<std::int64_t>(seconds * 1000));
}

bool is_one_of(const json::value& value, const std::vector<std::string>& wanted) {
  const auto* text = value.if_string();
  return text != nullptr && std::find(wanted.begin(), wanted.end(), std::string_view(*text)) != wanted.end();
}

bool names_one_of(const json::value* audience, const std::vector<std::string>& wanted) {
  if (audience == nullptr) return false;
  const auto* list = audience->if_array();
  if (list == nullptr) return is_one_of(*audience, wanted);
  return std::any_of(list->begin(), list->end(), [&](const auto& one) { return is_one_of(one, wanted); });
}

std::string user_of(const json::object& claims) {
  for (const auto* name : {"sub", "userId", "id"}) {
    auto user = string_member(claims, name);
    if (user && !user->empty()) return std::move(*user);
  }
  return {};
}

}  // namespace

Error token_invalid(std::string why) {
  return Error::for_user(Errc::unauthenticated, "TOKEN_INVALID", "The token is not valid: " + std::move(why) + ".");
}

Result<Identity> check_claims(const json::object& claims, const ClaimRules& rules, Timestamp now) {
  const auto expires_at = time_claim(claims, "exp");
  if (!expires_at) return token_invalid("it has no expiry time (exp)");
  Identity identity{UserId(user_of(claims)), string_member(claims, "role").value_or(""), *expires_at};
  if (auto in_time = check_expiry(identity, rules, now); !in_time) return in_time.error();
  if (claims.contains("nbf")) {
    const auto not_before = time_claim(claims, "nbf");
    if (!not_before || now + rules.skew < *not_before) return token_invalid("it is not valid yet (nbf)");
  }
  identity.issued_at = time_claim(claims, "iat");
  if (claims.contains("iat") && !identity.issued_at) return token_invalid("its time of issue (iat) is no time");
  const auto* issuer = claims.if_contains("iss");
  if (!rules.issuers.empty() && (issuer == nullptr || !is_one_of(*issuer, rules.issuers))) {
    return token_invalid("it comes from another issuer (iss) than those accepted here");
  }
  if (!rules.audiences.empty() && !names_one_of(claims.if_contains("aud"), rules.audiences)) {
    return token_invalid("it is meant for another service (aud)");
  }
  const auto& user = identity.user.value();
  if (user.empty()) return token_invalid("it names no user (sub, userId or id)");
  if (user.size() > kMaxUserIdBytes || !is_utf8(user)) {
    return token_invalid("its user id is too long or not UTF-8");
  }
  return identity;
}

Result<void> check_expiry(const Identity& identity, const ClaimRules& rules, Timestamp now) {
  if (now < identity.expires_at + rules.skew) return {};
  return Error::for_user(Errc::unauthenticated, "TOKEN_EXPIRED",
                         "The token expired at " + to_rfc3339(identity.expires_at) + "; sign in again.");
}

}  // namespace rushes::auth
