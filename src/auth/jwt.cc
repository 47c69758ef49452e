#include "auth/jwt.h"

#include "auth/jose_json.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace rushes::auth {
namespace {

// Most are a few hundred bytes; Entra's, with two hundred groups, 11 KiB.
constexpr std::size_t kMaxTokenBytes = 16UL << 10U;

constexpr std::chrono::seconds kRefusedFor{30};
constexpr std::size_t kMostRefused = 4'096;

/// The three parts of a JWS in its compact form (RFC 7515, 7.1), as they were written.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header.payload
};

std::optional<Parts> split(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
               token.substr(0, second)};
}

Result<json::object> decode_part(std::string_view part, std::string_view name) {
  const auto bytes = base64url_decode(part);
  if (!bytes) return token_invalid("its " + std::string(name) + " is not base64url");
  auto object = parse_unique(*bytes);
  if (!object) return token_invalid("its " + std::string(name) + " is " + object.error().what());
  return object;
}

/// All that is read of a token's header before its signature has been verified.
struct Header {
  Algorithm algorithm = Algorithm::hs256;
  std::string kid;  // empty: none
};

/// RFC 8725, 3.11: what is signed for another purpose (a logout token, a DPoP proof, a security event) signs nobody in.
bool may_be_access_token(std::string_view type) {
  constexpr std::string_view kApplication = "application/";
  if (equals_ignore_case(type.substr(0, kApplication.size()), kApplication)) type.remove_prefix(kApplication.size());
  return type.empty() || equals_ignore_case(type, "JWT") || equals_ignore_case(type, "at+jwt");
}

Result<Header> read_header(std::string_view part) {
  const auto members = decode_part(part, "header");
  if (!members) return members.error();
  const auto algorithm = parse_algorithm(string_member(*members, "alg").value_or(""));
  if (!algorithm) return token_invalid("its algorithm (alg) is not accepted");
  const auto* type = members->if_contains("typ");
  if (type != nullptr && (!type->is_string() || !may_be_access_token(type->get_string()))) {
    return token_invalid("it is no access token (typ)");
  }
  if (members->contains("crit")) return token_invalid("it asks for extensions that are not known here (crit)");
  Header header{*algorithm, string_member(*members, "kid").value_or("")};
  if (header.kid.empty() && members->contains("kid")) return token_invalid("its key's id (kid) is not a text");
  return header;
}

/// The key whose signature it is, of those that may sign for `issuer` where one is given; null: none's.
const Key* find_signer(const KeySet& keys, const Header& header, const Parts& parts, std::string_view signature,
                       const std::optional<std::string>& issuer = std::nullopt) {
  for (const auto* key : keys.find(header.kid, header.algorithm)) {
    const bool may_sign = !issuer || key->issuer().empty() || key->issuer() == *issuer;
    if (may_sign && key->verify(header.algorithm, parts.signed_text, signature)) return key;
  }
  return nullptr;
}

Error keys_unavailable(std::chrono::milliseconds again) {
  const auto seconds = std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(again).count(), 1);
  return Error::for_user(Errc::unavailable, "KEYS_UNAVAILABLE",
                         "The keys that could verify this token cannot be had at the moment; try again in " +
                             std::to_string(seconds) + " s.");
}

std::string_view without_scheme(std::string_view token) {
  constexpr std::string_view kScheme = "Bearer";
  token = trim(token);
  const bool has_scheme = equals_ignore_case(token.substr(0, kScheme.size()), kScheme) &&
                          (token.size() == kScheme.size() || token[kScheme.size()] == ' ');
  return has_scheme ? trim(token.substr(kScheme.size())) : token;
}

std::unique_ptr<const KeyRing> ring_of(std::string secret) {
  auto ring =
      std::make_unique<KeyRing>(std::vector<KeySource>{{KeySource::Kind::secret, std::move(secret), "jwt_secret"}});
  ring->load().value();
  return ring;
}

}  // namespace

TokenVerifier::TokenVerifier(const KeyRing& keys, ClaimRules rules, const Clock& clock, KeyRefresher* refresher,
                             std::size_t remembered)
    : keys_(keys),
      rules_(std::move(rules)),
      clock_(clock),
      refresher_(refresher),
      cache_(remembered > 0 ? std::make_unique<TokenCache>(remembered) : nullptr),
      refused_(refresher != nullptr ? std::make_unique<TokenCache>(kMostRefused) : nullptr) {}

TokenVerifier::TokenVerifier(std::string secret, const Clock& clock, std::chrono::seconds skew)
    : own_keys_(ring_of(std::move(secret))),
      keys_(*own_keys_),
      rules_{.skew = skew},
      clock_(clock),
      refresher_(nullptr),
      cache_(std::make_unique<TokenCache>(TokenCache::kUsual)) {}

Result<Identity> TokenVerifier::verify(std::string_view token) const {
  auto judged = judge(token);
  if (judged.may_turn && !keys_.is_complete()) return keys_unavailable({});
  return std::move(judged.identity);
}

std::optional<UserId> TokenVerifier::claimed_user(std::string_view token) const {
  if (token.size() > kMaxTokenBytes) return std::nullopt;
  const auto parts = split(token);
  const auto claims = parts ? decode_part(parts->payload, "payload") : Result<json::object>(Error());
  if (!claims) return std::nullopt;
  auto user = user_of(*claims, rules_.user_claims);
  return user ? std::optional(UserId(std::move(*user))) : std::nullopt;
}

std::optional<Result<Identity>> TokenVerifier::verify_by_known_keys(std::string_view token) const {
  auto judged = judge(token);
  if (judged.may_turn && refresher_ != nullptr) return std::nullopt;
  return std::move(judged.identity);
}

Task<Result<Identity>> TokenVerifier::authenticate(std::string token) const {
  if (auto known = verify_by_known_keys(token)) co_return std::move(*known);
  const auto answer = co_await refresher_->learn();
  auto judged = judge(token);
  if (!judged.may_turn) co_return std::move(judged.identity);
  if (!answer.fresh) {
    log::debug("auth", "cannot judge a token yet kid=\"{}\"", shorten(judged.kid, 60));
    co_return keys_unavailable(answer.again);
  }
  const Identity until{UserId(), {}, clock_.now() + kRefusedFor};
  refused_->put(TokenCache::digest_of(without_scheme(token)), keys_.keys(), until);
  co_return std::move(judged.identity);
}

TokenVerifier::Judgement TokenVerifier::judge(std::string_view token) const {
  token = without_scheme(token);
  if (token.empty()) {
    return {Error::for_user(Errc::unauthenticated, "TOKEN_MISSING",
                            "No token came, or an empty one: send it as auth.token or as Authorization: Bearer.")};
  }
  if (token.size() > kMaxTokenBytes) {
    return {token_invalid("it has " + std::to_string(token.size()) + " bytes, and " + std::to_string(kMaxTokenBytes) +
                          " are taken; have its issuer leave out what is not needed, such as groups")};
  }
  const auto keys = keys_.keys();
  if (!cache_) return examine(token, *keys);
  const auto digest = TokenCache::digest_of(token);
  if (auto known = cache_->find(digest, keys)) {
    if (auto in_time = check_expiry(*known, clock_.now()); !in_time) return {in_time.error()};
    return {std::move(*known)};
  }
  auto judged = examine(token, *keys);
  if (judged.identity) cache_->put(digest, keys, *judged.identity);
  if (judged.may_turn && refused_) {
    const auto refused = refused_->find(digest, keys);
    judged.may_turn = !refused || refused->expires_at <= clock_.now();
  }
  return judged;
}

TokenVerifier::Judgement TokenVerifier::examine(std::string_view token, const KeySet& keys) const {
  const auto parts = split(token);
  if (!parts) return {token_invalid("it does not have three parts")};
  const auto header = read_header(parts->header);
  if (!header) return {header.error()};
  const auto signature = base64url_decode(parts->signature);
  if (!signature) return {token_invalid("its signature is not base64url")};
  const auto* signer = find_signer(keys, *header, *parts, *signature);
  if (signer == nullptr) {
    const bool known = header->kid.empty() ? !keys.keys().empty() : keys.knows(header->kid);
    const bool may_turn = !is_hmac(header->algorithm) && keys_.can_change();  // no issuer publishes a secret
    return {token_invalid(known ? "its signature does not match" : "the key that it names is not known here"), may_turn,
            header->kid};
  }
  // Nothing of the payload is read before here.
  const auto claims = decode_part(parts->payload, "payload");
  if (!claims) return {claims.error()};
  // Two issuers may share a key, as the tenants of one provider do.
  const auto issuer = string_member(*claims, "iss").value_or("");
  if (!signer->issuer().empty() && signer->issuer() != issuer) {
    if (const auto* its = find_signer(keys, *header, *parts, *signature, issuer)) signer = its;
  }
  return {check_claims(*claims, rules_, signer->issuer(), clock_.now())};
}

std::string sign_token(std::string_view secret, const json::object& claims, const json::object& more) {
  json::object header{{"alg", "HS256"}, {"typ", "JWT"}};
  for (const auto& member : more) header[member.key()] = member.value();
  const auto text = base64url_encode(to_json_text(header)) + "." + base64url_encode(to_json_text(claims));
  return text + "." + base64url_encode(hmac(Algorithm::hs256, secret, text));
}

}  // namespace rushes::auth
