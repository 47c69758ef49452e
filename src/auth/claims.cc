#include "auth/claims.h"

#include "base/text.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace rushes::auth {
namespace {

constexpr std::size_t kMaxUserIdBytes = 256;
constexpr double kInexact = 9007199254740992.0;  // 2^53: from it on, readers take different numbers for the same one

// NumericDate (RFC 7519, section 2): seconds, possibly with a fraction.
std::optional<Timestamp> time_claim(const json::object& claims, std::string_view name) {
  const auto* claim = claims.if_contains(name);
  if (claim == nullptr || !claim->is_number()) return std::nullopt;
  const auto seconds = claim->to_number<double>();
  if (!std::isfinite(seconds) || std::abs(seconds) > 1e11) return std::nullopt;
  return from_millis(static_cast<std::int64_t>(seconds * 1000));
}

bool contains(const std::vector<std::string>& wanted, std::string_view text) {
  return std::find(wanted.begin(), wanted.end(), text) != wanted.end();
}

bool is_one_of(const json::value& value, const std::vector<std::string>& wanted) {
  const auto* text = value.if_string();
  return text != nullptr && contains(wanted, *text);
}

bool is_meant_for(const json::object& claims, const std::vector<std::string>& audiences) {
  if (const auto* audience = claims.if_contains("aud")) {
    const auto* list = audience->if_array();
    if (list == nullptr) return is_one_of(*audience, audiences);
    return std::any_of(list->begin(), list->end(), [&](const auto& one) { return is_one_of(one, audiences); });
  }
  // Whom it was issued to stands for whom it is meant for only where the issuer names nobody.
  for (const auto* name : {"client_id", "azp"}) {
    if (const auto* client = claims.if_contains(name)) return is_one_of(*client, audiences);
  }
  return false;
}

std::string join(const std::vector<std::string>& names) {
  std::string joined;
  for (std::size_t i = 0; i < names.size(); ++i) {
    joined += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
  }
  return joined;
}

std::string role_of(const json::object& claims, const ClaimRules& rules) {
  std::vector<std::string_view> roles;
  const auto add = [&roles](const json::value& value) {
    if (const auto* text = value.if_string()) roles.emplace_back(*text);
  };
  for (const auto& path : rules.role_claims) {
    const auto* claim = find_claim(claims, path);
    if (claim == nullptr) continue;
    add(*claim);
    if (const auto* list = claim->if_array()) std::for_each(list->begin(), list->end(), add);
  }
  std::string other;
  bool service = false;
  for (const auto role : roles) {
    if (contains(rules.admin_roles, role)) return "admin";
    service = service || contains(rules.service_roles, role);
    // Where other values mean them, these words mean nothing.
    if (other.empty() && role != "admin" && role != "service") other = role;
  }
  return service ? "service" : other;
}

}  // namespace

Result<std::string> user_of(const json::object& claims, const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    const auto* claim = find_claim(claims, path);
    if (claim == nullptr) continue;
    if (const auto* text = claim->if_string(); text != nullptr && !text->empty()) return std::string(*text);
    if (!claim->is_number()) continue;
    const auto number = claim->to_number<double>();
    if (number != std::trunc(number)) {
      return token_invalid("its user id (" + path + ") is not a whole number; issue it as a text");
    }
    if (std::abs(number) >= kInexact) {
      return token_invalid("its user id (" + path + ") is a number of 2^53 or more; issue it as a text");
    }
    return std::to_string(static_cast<std::int64_t>(number));
  }
  return token_invalid("it names no user (" + join(paths) + ")");
}

Error token_invalid(std::string why) {
  return Error::for_user(Errc::unauthenticated, "TOKEN_INVALID", "The token is not valid: " + std::move(why) + ".");
}

const json::value* find_claim(const json::object& claims, std::string_view path) {
  if (const auto* whole = claims.if_contains(path)) return whole;
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
    const auto* member = claims.if_contains(path.substr(0, dot));
    const auto* object = member != nullptr ? member->if_object() : nullptr;
    if (object == nullptr) continue;
    if (const auto* found = find_claim(*object, path.substr(dot + 1))) return found;
  }
  return nullptr;
}

Result<Identity> check_claims(const json::object& claims, const ClaimRules& rules, std::string_view issuer,
                              Timestamp now) {
  const auto expires_at = time_claim(claims, "exp");
  if (!expires_at) return token_invalid("it has no expiry time (exp)");
  Identity identity{UserId(), {}, *expires_at + rules.skew};
  if (auto in_time = check_expiry(identity, now); !in_time) return in_time.error();
  if (claims.contains("nbf")) {
    const auto not_before = time_claim(claims, "nbf");
    if (!not_before || now + rules.skew < *not_before) return token_invalid("it is not valid yet (nbf)");
  }
  identity.issued_at = time_claim(claims, "iat");
  if (claims.contains("iat") && !identity.issued_at) return token_invalid("its time of issue (iat) is no time");
  const auto named = string_member(claims, "iss");
  const bool accepted = rules.issuers.empty() || (named && contains(rules.issuers, *named));
  if (!accepted || (!issuer.empty() && named != issuer)) {
    return token_invalid("it comes from " + (named ? "the issuer '" + shorten(*named, 100) + "'" : "no issuer") +
                         " (iss), whose tokens " + (accepted ? "its key does not sign" : "are not accepted here"));
  }
  if (!rules.audiences.empty() && !is_meant_for(claims, rules.audiences)) {
    return token_invalid("it is meant for another service (aud)");
  }
  auto user = user_of(claims, rules.user_claims);
  if (!user) return user.error();
  if (user->size() > kMaxUserIdBytes || !is_utf8(*user)) {
    return token_invalid("its user id is too long or not UTF-8");
  }
  identity.user = UserId(std::move(*user));
  const bool gives_roles = rules.role_issuers.empty() || (named && contains(rules.role_issuers, *named));
  if (gives_roles) identity.role = role_of(claims, rules);
  return identity;
}

Result<void> check_expiry(const Identity& identity, Timestamp now) {
  if (now < identity.expires_at) return {};
  return Error::for_user(Errc::unauthenticated, "TOKEN_EXPIRED",
                         "The token expired at " + to_rfc3339(identity.expires_at) + "; sign in again.");
}

}  // namespace rushes::auth
