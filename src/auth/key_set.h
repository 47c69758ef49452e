#pragma once
#include "auth/key.h"
#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace rushes::auth {

/// All keys that may verify a token.
///
/// Threads: immutable once built.
class KeySet {
 public:
  KeySet() = default;
  explicit KeySet(std::vector<Key> keys) : keys_(std::move(keys)) {}

  /// The keys to try for a token that names `kid` (empty: none) and `algorithm`: those that allow the algorithm
  /// and do not contradict the id. A key without an id (a secret, a PEM file) contradicts none; a token without
  /// one leaves all. Valid as long as the set.
  std::vector<const Key*> find(std::string_view kid, Algorithm algorithm) const;

  /// Whether a key bears that id.
  bool knows(std::string_view kid) const noexcept;
  const std::vector<Key>& keys() const noexcept { return keys_; }

 private:
  std::vector<Key> keys_;
};

/// A JWKS as it was read: what can be used of it, and why the rest cannot.
struct Jwks {
  std::vector<Key> keys;
  std::vector<std::string> left_out;  // `key 'a' is not for verifying signatures (use, key_ops)`
};

/// Reads a JSON Web Key Set (RFC 7517, 5), or one JSON Web Key alone. Keys that cannot be used are left
/// out, as the RFC has it. Errors: `invalid_argument` where none is left, or there are more than 100.
Result<Jwks> parse_jwks(std::string_view text);

}  // namespace rushes::auth
