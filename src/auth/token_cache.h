#pragma once
#include "auth/identity.h"
#include "auth/key_ring.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace rushes::auth {

/// Tokens that were verified, so that the next request or socket with the same one costs a hash instead of a
/// signature and two JSON texts. It holds SHA-256 digests, never a token.
///
/// A token is found only under the very keys that it was verified with. Whoever finds one still checks its expiry.
///
/// Threads:  thread-safe; one lock for each sixteenth of the tokens.
/// Cost:     at most `capacity` tokens, of about 200 bytes; of more, those longest unused go first.
class TokenCache {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  static constexpr std::size_t kUsual = 65'536;

  explicit TokenCache(std::size_t capacity);

  static Digest digest_of(std::string_view token);

  std::optional<Identity> find(const Digest& token, const KeyRing::Snapshot& keys);
  void put(const Digest& token, const KeyRing::Snapshot& keys, const Identity& identity);
  /// How many are held.
  std::size_t size();

 private:
  struct Hash {
    std::size_t operator()(const Digest& digest) const noexcept {
      std::size_t bits = 0;
      std::memcpy(&bits, digest.data(), sizeof bits);
      return bits;
    }
  };
  using Tokens = std::unordered_map<Digest, Identity, Hash>;

  /// Two generations: what is used moves to the young one; when that is full, the old one goes.
  struct Part {
    std::mutex mutex;  // guards what follows
    KeyRing::Snapshot keys;
    Tokens young;
    Tokens old;
  };

  static constexpr std::size_t kParts = 16;
  Part& part_of(const Digest& digest) noexcept { return parts_[digest.back() % kParts]; }
  void keep(Part& part, const Digest& token, Identity identity) const;

  const std::size_t per_generation_;
  std::array<Part, kParts> parts_;
};

}  // namespace rushes::auth
