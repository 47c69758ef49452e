#pragma once
#include "auth/credential_store.h"
#include "auth/identity.h"
#include "base/result.h"

#include <atomic>
#include <mutex>
#include <unordered_map>

namespace rushes::auth {

/// The moments at which users signed out everywhere, in memory: a request reads no database.
///
/// Threads: thread-safe.
/// Cost:    an entry for each user who ever signed out; nothing but one load where there is none.
class SignOuts {
 public:
  /// The later moment of a user stays.
  void put(const SignOut& sign_out);

  /// Whether a token's identity is from after its user's moment. One that does not say when it was issued is from
  /// before. Errors: TOKEN_INVALID.
  Result<void> check(const Identity& identity) const;

 private:
  std::atomic<bool> any_{false};
  mutable std::mutex mutex_;
  std::unordered_map<UserId, Timestamp> moments_;  // under mutex_
};

}  // namespace rushes::auth
