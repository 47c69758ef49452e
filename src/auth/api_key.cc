#include "auth/api_key.h"

#include "auth/token_cache.h"

#include <algorithm>
#include <array>
#include <span>

namespace rushes::auth {
namespace {

constexpr std::string_view kPrefix = "rushes_";
constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kSecretDigits = 64;
constexpr std::size_t kLength = kPrefix.size() + kIdDigits + 1 + kSecretDigits;
constexpr std::int64_t kEndOfTime = 253'402'300'799'000;  // 9999-12-31T23:59:59Z

template <std::size_t Bytes>
std::string random_hex(Rng& rng) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::uint8_t, Bytes> bytes{};
  rng.fill(bytes);
  std::string text;
  for (const auto byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

bool is_hex(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Identity ApiKey::identity() const {
  Identity identity{user, role, expires_at.value_or(from_millis(kEndOfTime))};
  identity.issued_at = created_at;
  identity.scopes = scopes;
  identity.key = id;
  return identity;
}

Result<void> check_scope(const Identity& identity, Scope scope) {
  if (identity.scopes.contains(scope)) return {};
  return Error::for_user(Errc::forbidden, "SCOPE_MISSING",
                         "This needs the scope '" + std::string(to_string(scope)) +
                             "'; the credential has: " + identity.scopes.text() + ".");
}

ApiKeyText new_api_key_text(Rng& rng) {
  ApiKeyText made;
  made.id = KeyId(random_hex<kIdDigits / 2>(rng));
  made.text = std::string(kPrefix) + made.id.value() + "_" + random_hex<kSecretDigits / 2>(rng);
  return made;
}

bool looks_like_api_key(std::string_view text) noexcept { return text.starts_with(kPrefix); }

std::optional<std::string_view> api_key_id(std::string_view text) noexcept {
  if (text.size() != kLength || !looks_like_api_key(text)) return std::nullopt;
  const auto id = text.substr(kPrefix.size(), kIdDigits);
  const bool well_formed =
      is_hex(id) && text[kPrefix.size() + kIdDigits] == '_' && is_hex(text.substr(kPrefix.size() + kIdDigits + 1));
  return well_formed ? std::optional(id) : std::nullopt;
}

std::string digest_of_api_key(std::string_view text) {
  const auto digest = TokenCache::digest_of(text);
  return {digest.begin(), digest.end()};
}

}  // namespace rushes::auth
