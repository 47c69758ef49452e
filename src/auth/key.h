#pragma once
#include "auth/algorithm.h"
#include "auth/signature.h"
#include "base/json.h"
#include "base/result.h"

#include <string>
#include <string_view>

namespace rushes::auth {

/// One key that verifies tokens, bound to the algorithms that it is good for (RFC 8725, 3.1): an RSA key
/// to RS256, one on P-256 to ES256, an Ed25519 key to EdDSA, a secret to HMAC. What a token claims
/// in its header never widens that.
///
/// Threads: immutable.
/// Errors:  `invalid_argument`, one clause for the operator, from each of the readers.
class Key {
 public:
  /// HS256, HS384 and HS512, of whatever length the operator chose.
  static Key from_secret(std::string secret);

  /// The one block of a PEM text: a public key or a certificate. A private key is refused, and so is a second
  /// block: those that follow in a chain must not sign tokens. A certificate is a wrapping only: neither its
  /// dates nor its signer are looked at.
  static Result<Key> from_pem(std::string_view pem);

  /// A JSON Web Key (RFC 7517) of type RSA, EC (P-256), OKP (Ed25519) or oct. Its `alg`, `use` and `key_ops` are
  /// honoured. A private key is refused.
  static Result<Key> from_jwk(const json::object& jwk);

  /// Its `kid`; empty: it has none.
  const std::string& id() const noexcept { return id_; }
  bool allows(Algorithm algorithm) const noexcept { return allowed_.contains(algorithm); }
  /// Whether the key is known to its holder alone, as that of an HMAC.
  bool is_secret() const noexcept { return !public_; }

  /// Whether `signature` is this key's over `text`. False for an algorithm that it does not allow.
  bool verify(Algorithm algorithm, std::string_view text, std::string_view signature) const;

 private:
  Key() = default;
  static Result<Key> from_public(PublicKey key);
  static Result<Key> read_material(const json::object& jwk);

  std::string id_;
  AlgorithmSet allowed_;
  std::string secret_;  // where `public_` is empty
  PublicKey public_;
};

}  // namespace rushes::auth
