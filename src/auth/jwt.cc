#include "auth/jwt.h"

#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cmath>
#include <optional>

namespace rushes::auth {
namespace {

// Real tokens are a few hundred bytes; a header line holds no more than 16 KiB.
constexpr std::size_t kMaxTokenBytes = 8192;
constexpr std::size_t kMaxUserIdBytes = 256;

Error invalid(std::string why) {
  return Error::for_user(Errc::unauthenticated, "TOKEN_INVALID", "The token is not valid: " + std::move(why) + ".");
}

std::string hmac_sha256(std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  return {reinterpret_cast<const char*>(digest.data()), length};
}

Result<json::object> decode_part(std::string_view part, std::string_view name) {
  const auto bytes = base64url_decode(part);
  if (!bytes) return invalid("its " + std::string(name) + " is not base64url");
  auto value = parse_json(*bytes, 8);
  if (!value || !value->is_object()) return invalid("its " + std::string(name) + " is not a JSON object");
  return std::move(value->get_object());
}

// NumericDate (RFC 7519, section 2): seconds, possibly with a fraction.
std::optional<Timestamp> time_claim(const json::object& claims, std::string_view name) {
  const auto* claim = claims.if_contains(name);
  if (claim == nullptr || !claim->is_number()) return std::nullopt;
  const auto seconds = claim->to_number<double>();
  if (!std::isfinite(seconds) || std::abs(seconds) > 1e11) return std::nullopt;
  return from_millis(static_cast<std::int64_t>(seconds * 1000));
}

std::string user_of(const json::object& claims) {
  for (const auto* name : {"sub", "userId", "id"}) {
    auto user = string_member(claims, name);
    if (user && !user->empty()) return std::move(*user);
  }
  return {};
}

}  // namespace

TokenVerifier::TokenVerifier(std::string secret, const Clock& clock, std::chrono::seconds skew)
    : secret_(std::move(secret)), clock_(clock), skew_(skew) {}

Result<Identity> TokenVerifier::verify(std::string_view token) const {
  constexpr std::string_view kScheme = "Bearer";
  token = trim(token);
  const bool has_scheme = equals_ignore_case(token.substr(0, kScheme.size()), kScheme) &&
                          (token.size() == kScheme.size() || token[kScheme.size()] == ' ');
  if (has_scheme) token = trim(token.substr(kScheme.size()));
  if (token.empty()) {
    return Error::for_user(Errc::unauthenticated, "TOKEN_MISSING",
                           "A token is needed: send it as auth.token or as Authorization: Bearer.");
  }
  if (token.size() > kMaxTokenBytes) return invalid("it is too long");

  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return invalid("it does not have three parts");
  }
  const auto header = decode_part(token.substr(0, first), "header");
  if (!header) return header.error();
  if (string_member(*header, "alg") != "HS256") return invalid("only the algorithm HS256 is accepted");
  if (header->contains("crit")) return invalid("it asks for extensions that are not known here");

  const auto signature = base64url_decode(token.substr(second + 1));
  const auto expected = hmac_sha256(secret_, token.substr(0, second));
  if (!signature || signature->size() != expected.size() ||
      CRYPTO_memcmp(signature->data(), expected.data(), expected.size()) != 0) {
    return invalid("its signature does not match");
  }

  const auto claims = decode_part(token.substr(first + 1, second - first - 1), "payload");
  if (!claims) return claims.error();
  const auto now = clock_.now();
  const auto expires_at = time_claim(*claims, "exp");
  if (!expires_at) return invalid("it has no expiry time (exp)");
  if (now >= *expires_at + skew_) {
    return Error::for_user(Errc::unauthenticated, "TOKEN_EXPIRED",
                           "The token expired at " + to_rfc3339(*expires_at) + "; sign in again.");
  }
  if (claims->contains("nbf")) {
    const auto not_before = time_claim(*claims, "nbf");
    if (!not_before || now + skew_ < *not_before) return invalid("it is not valid yet (nbf)");
  }
  auto user = user_of(*claims);
  if (user.empty()) return invalid("it names no user (sub, userId or id)");
  if (user.size() > kMaxUserIdBytes || !is_utf8(user)) return invalid("its user id is too long or not UTF-8");
  return Identity{UserId(std::move(user)), string_member(*claims, "role").value_or(""), *expires_at};
}

std::string sign_token(std::string_view secret, const json::object& claims) {
  const json::object header{{"alg", "HS256"}, {"typ", "JWT"}};
  const auto text = base64url_encode(json::serialize(header)) + "." + base64url_encode(json::serialize(claims));
  return text + "." + base64url_encode(hmac_sha256(secret, text));
}

}  // namespace rushes::auth
