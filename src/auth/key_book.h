#pragma once
#include "auth/api_key.h"
#include "base/result.h"

#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rushes::auth {

/// The API keys in memory, so that a request with one costs a hash and no read of the database.
///
/// Threads: thread-safe.
class KeyBook {
 public:
  using Uses = std::vector<std::pair<KeyId, Timestamp>>;

  void put(ApiKey key);
  void remove(const KeyId& id);
  bool contains(const KeyId& id) const;
  /// Whose key has the id of that text form, whether its secret is right or not; nothing: nobody's.
  std::optional<UserId> owner(std::string_view text) const;

  /// Who the key of that text form speaks for; notes that it was used.
  /// Errors: TOKEN_INVALID, TOKEN_EXPIRED.
  Result<Identity> find(std::string_view text, Timestamp now);

  std::optional<Timestamp> last_used(const KeyId& id) const;
  /// Uses that were noted since the last call: of a key at most one a minute.
  Uses take_uses();

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<KeyId, ApiKey> keys_;
  Uses uses_;
};

}  // namespace rushes::auth
