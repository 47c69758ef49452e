#pragma once
#include "auth/algorithm.h"
#include "auth/signature.h"
#include "base/json.h"
#include "base/json_writer.h"

#include <string>
#include <string_view>

namespace rushes::auth::testing {

/// An issuer's private key, made afresh, and what it gives to others. For tests and benchmarks.
class Signer {
 public:
  static Signer rsa(std::string kid = {}, unsigned bits = 2048);
  /// `curve`: P-256, P-384, P-521, or another one that OpenSSL knows.
  static Signer ec(std::string kid = {}, const char* curve = "P-256");
  static Signer ed25519(std::string kid = {});

  /// The same key, signing with another algorithm of its type (PS384, or EdDSA by its other name, Ed25519).
  Signer with(std::string algorithm) const;

  /// A token of `claims`. `more` adds to the header, or replaces what is in it, also the algorithm's name; the
  /// signature is always this key's own.
  std::string sign(const json::object& claims, const json::object& more = {}) const;
  /// This key's signature over `text`, as a JWS carries it, not yet in base64url.
  std::string signature(std::string_view text) const;

  /// The public key as JSON, with `kid` and `alg` and whatever `more` adds or replaces (null removes).
  json::object jwk(const json::object& more = {}) const;
  std::string public_pem() const;
  std::string private_pem() const;
  /// A self-signed certificate of it.
  std::string certificate_pem() const;
  std::string_view algorithm() const noexcept { return algorithm_; }

 private:
  bool is(std::string_view type) const { return algorithm_.starts_with(type); }
  Signer(evp_pkey_st* key, std::string algorithm, std::string kid);
  std::string number(const char* name, std::size_t at_least = 0) const;

  PublicKey key_;  // with its private part
  std::string algorithm_;
  std::string kid_;
};

/// A key set, as text.
template <class... Keys>
std::string jwks_of(Keys... keys) {
  return to_json_text(json::object{{"keys", json::array{std::move(keys)...}}});
}

}  // namespace rushes::auth::testing
