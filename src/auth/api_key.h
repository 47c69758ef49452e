#pragma once
#include "auth/identity.h"
#include "auth/scopes.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace rushes::auth {

/// A credential for machines and scripts, which its user makes and revokes. What is kept of its text is a digest.
struct ApiKey {
  KeyId id;
  UserId user;
  std::string name;    // for people
  std::string digest;  // SHA-256 of the text form; 32 bytes
  Scopes scopes;
  std::string role;  // as claim `role` of a token; empty: none
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> last_used_at;  // up to a minute older than the last use

  /// Who the key speaks for.
  Identity identity() const;
};

/// Whether the credential behind `identity` is good for `scope`. Errors: `forbidden` (SCOPE_MISSING), naming it.
Result<void> check_scope(const Identity& identity, Scope scope);

/// `rushes_<id>_<secret>`: a fixed prefix, so that secret scanners find keys that were committed; 64 bits of id and 256
/// bits of secret in hexadecimal.
struct ApiKeyText {
  std::string text;
  KeyId id;
};

ApiKeyText new_api_key_text(Rng& rng);

/// The id within an API key's text form; nothing where `text` has another form.
std::optional<std::string_view> api_key_id(std::string_view text) noexcept;

/// Whether `text` begins like an API key and so is no JWT.
bool looks_like_api_key(std::string_view text) noexcept;

/// What is kept of a text form. No salt and no slow hash: the secret has 256 random bits.
std::string digest_of_api_key(std::string_view text);

}  // namespace rushes::auth
