#pragma once
#include "async/task.h"
#include "auth/api_key.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace rushes::auth {

/// How many API keys there may be.
struct KeyLimits {
  int of_user = 50;
  int of_all = 200'000;  // all are kept in memory, of about 300 bytes each
};

/// A user's tokens that were issued before `at` are refused.
struct SignOut {
  UserId user;
  Timestamp at;
};

/// A good credential was used: by whom, from which network, with which browser.
struct SignIn {
  UserId user;
  std::string network;
  std::string browser;
};

/// Bad credentials that name a user came from one network.
struct BadTokens {
  UserId user;
  std::string network;
  bool only_expired = false;  // all were good once
};

/// API keys, sign-outs, and what is known of where users sign in. One implementation per database.
///
/// Every method is one transaction.
///
/// Threads:  safe to call from any executor; resumes on the caller's.
/// Errors:   `unavailable` from any method; another user's key is `not_found` (KEY_NOT_FOUND).
class CredentialStore {
 public:
  virtual ~CredentialStore() = default;

  /// Errors: `conflict` (KEY_LIMIT) where the user, or the server, has as many keys as it may.
  virtual Task<Result<void>> add_key(ApiKey key, KeyLimits limits) = 0;
  /// Every user's.
  virtual Task<Result<std::vector<ApiKey>>> all_keys() = 0;
  /// The oldest first.
  virtual Task<Result<std::vector<ApiKey>>> keys_of(UserId user) = 0;
  virtual Task<Result<void>> remove_key(UserId user, KeyId id) = 0;
  /// Sets `last_used_at` of keys that are still there.
  virtual Task<Result<void>> record_uses(std::vector<std::pair<KeyId, Timestamp>> uses) = 0;

  /// Keeps the later of `sign_out.at` and what was there; with `keys` the user's API keys are removed as well. Gives
  /// those.
  virtual Task<Result<std::vector<KeyId>>> sign_out(SignOut sign_out, bool keys) = 0;
  virtual Task<Result<std::vector<SignOut>>> all_sign_outs() = 0;

  /// How long a network or a browser is remembered.
  static constexpr std::chrono::days kRemembered{90};
  /// A user is alerted at most once in this time, of each kind.
  static constexpr std::chrono::days kAlertEvery{1};
  static constexpr int kMostSignIns = 50;  // remembered of a user, the latest

  /// Remembers the sign-in. True where the user is to be alerted: network and browser are both new to a user who has
  /// signed in before.
  virtual Task<Result<bool>> record_sign_in(SignIn sign_in) = 0;
  /// True where the user is to be alerted: one who has signed in before; and where the tokens had only expired, never
  /// from that network.
  virtual Task<Result<bool>> record_bad_tokens(BadTokens bad) = 0;
};

}  // namespace rushes::auth
