#pragma once
#include "async/task.h"
#include "auth/claims.h"
#include "auth/identity.h"
#include "auth/key_refresher.h"
#include "auth/key_ring.h"
#include "auth/token_cache.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace rushes::auth {

/// Checks JSON Web Tokens (RFC 7519) in their compact form, by the rules of RFC 8725.
///
/// A key decides which algorithms verify with it, the token only which of them it wants: `none`, and HMAC
/// over an RSA key, find no key. `kid` looks keys up and nothing else; `jku`, `jwk`, `x5u` and `x5c` are never read;
/// `crit` is refused, and so is a name that occurs twice.
///
/// Threads:   thread-safe.
/// Lifetime:  the ring, the refresher and the clock outlive it.
/// Errors:    `unauthenticated` with public names TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED; `unavailable` with
///            KEYS_UNAVAILABLE where the keys that could turn a refusal cannot be had at the moment.
class TokenVerifier {
 public:
  /// With a `refresher`, `authenticate` waits for keys that are not known yet. `remembered`: how many tokens are
  /// not verified again while their keys stay.
  TokenVerifier(const KeyRing& keys, ClaimRules rules, const Clock& clock, KeyRefresher* refresher = nullptr,
                std::size_t remembered = TokenCache::kUsual);
  /// With one secret.
  TokenVerifier(std::string secret, const Clock& clock, std::chrono::seconds skew = std::chrono::seconds(5));

  /// Who `token`, with or without a leading `Bearer `, speaks for, by the keys at hand.
  Result<Identity> verify(std::string_view token) const;

  /// The user whom an unverified token names. Good for counting, and for nothing else.
  std::optional<UserId> claimed_user(std::string_view token) const;

  /// The same; nothing where `authenticate` would read the keys' sources first.
  std::optional<Result<Identity>> verify_by_known_keys(std::string_view token) const;

  /// The same; but where an issuer may have changed keys a moment ago (the token names one that is not known, or its
  /// signature does not match) the sources are read again first, as often as KeyRefresher::learn allows. A token that
  /// is refused by keys that were read for it is refused at once for the next half a minute.
  Task<Result<Identity>> authenticate(std::string token) const;

 private:
  /// An outcome, and whether keys that are not here could turn it.
  struct Judgement {
    Result<Identity> identity;
    bool may_turn = false;
    std::string kid{};  // the key that the token names
  };
  Judgement judge(std::string_view token) const;
  Judgement examine(std::string_view token, const KeySet& keys) const;

  const std::unique_ptr<const KeyRing> own_keys_;  // where constructed with a secret
  const KeyRing& keys_;
  const ClaimRules rules_;
  const Clock& clock_;
  KeyRefresher* const refresher_;
  const std::unique_ptr<TokenCache> cache_;    // none: every token is verified
  const std::unique_ptr<TokenCache> refused_;  // by keys that were read for them; `expires_at`: until when
};

/// A token with `claims`, signed with HMAC-SHA-256: for development, tests and the command line. `more` is added to its
/// header.
std::string sign_token(std::string_view secret, const json::object& claims, const json::object& more = json::object());

}  // namespace rushes::auth
