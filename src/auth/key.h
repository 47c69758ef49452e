#pragma once
#include "auth/algorithm.h"
#include "auth/signature.h"
#include "base/json.h"
#include "base/result.h"

#include <string>
#include <string_view>

namespace rushes::auth {

/// One key that verifies tokens, bound to the algorithms that it is good for (RFC 8725, 3.1): an RSA key
/// to RS256 and PS256 (and their siblings with longer digests), one on P-256 to ES256, on P-384 to ES384, on P-521 to
/// ES512, an Ed25519 key to EdDSA, a secret to HMAC; and to its issuer, where it has one (RFC 8725, 3.8). What a
/// token claims in its header never widens that.
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

  /// A JSON Web Key (RFC 7517) of type RSA, EC (P-256, P-384, P-521) or OKP (Ed25519). Its `alg`, `use` and `key_ops`
  /// are honoured. A private key is refused, and so is a secret (oct), which no key set may hold.
  static Result<Key> from_jwk(const json::object& jwk);

  /// Its `kid`; empty: it has none.
  const std::string& id() const noexcept { return id_; }
  bool allows(Algorithm algorithm) const noexcept { return allowed_.contains(algorithm); }

  /// The `iss` of the tokens that it may sign; empty: any that is accepted.
  const std::string& issuer() const noexcept { return issuer_; }
  void bind_to(std::string issuer) { issuer_ = std::move(issuer); }

  /// Whether `signature` is this key's over `text`. False for an algorithm that it does not allow.
  bool verify(Algorithm algorithm, std::string_view text, std::string_view signature) const;

 private:
  Key() = default;
  static Result<Key> from_public(PublicKey key);
  static Result<Key> read_material(const json::object& jwk);

  std::string id_;
  std::string issuer_;
  AlgorithmSet allowed_;
  std::string secret_;  // where `public_` is empty
  PublicKey public_;
};

}  // namespace rushes::auth
