#pragma once
#include "async/gate.h"
#include "async/task.h"
#include "auth/credential_store.h"
#include "base/clock.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace rushes::auth {

/// What a user should know about their credentials.
struct SecurityAlert {
  enum class Kind : std::uint8_t {
    new_device,  // a good credential came from a network and a browser that are both new
    bad_tokens,  // many refused ones came from one network
  };
  Kind kind = Kind::new_device;
  UserId user;
  std::string network;
  std::string browser;  // of `new_device`
};

/// Notices where good and bad credentials of a user come from, and alerts the user.
///
/// A sign-in is written once a day for each address and program; the next request with the same costs a hash. Bad
/// tokens are counted by user and network within an hour. A user whom the server has never seen is not alerted: anyone
/// can write a name into a token.
///
/// Threads:  `signed_in` and `refused` from any thread; the rest on `executor`.
/// Lifetime: store and clock outlive it; `stop` before destruction.
class SignInWatch {
 public:
  using Listener = std::function<Task<>(SecurityAlert)>;

  static constexpr int kMany = 20;  // bad tokens
  static constexpr std::chrono::hours kWithin{1};

  SignInWatch(Executor executor, CredentialStore& store, const Clock& clock);

  /// Before the first call of the others.
  void on_alert(Listener listener) { listener_ = std::move(listener); }

  void signed_in(const UserId& user, std::string_view address, std::string_view user_agent);
  /// A credential that names the user was refused; `was_good`: it has only expired, or was signed out.
  void refused(const UserId& user, std::string_view address, bool was_good);

  Task<> stop() { return gate_.close(); }

 private:
  struct Tally {
    Timestamp since;
    int never_good = 0;
    int were_good = 0;
  };

  bool is_new_today(const UserId& user, std::string_view address, std::string_view user_agent);
  /// Runs `work` on the executor, within bounds.
  void spawn(std::function<Task<>(Gate::Pass)> work);
  Task<> record(SignIn sign_in, Gate::Pass pass);
  Task<> record_bad(BadTokens bad, Gate::Pass pass);

  const Executor executor_;
  CredentialStore& store_;
  const Clock& clock_;
  Listener listener_;
  std::atomic<int> pending_{0};

  std::mutex mutex_;  // guards what follows
  std::unordered_set<std::size_t> seen_;
  std::unordered_set<std::size_t> seen_before_;  // the generation that goes next
  std::unordered_map<std::string, Tally> tallies_;

  Gate gate_;  // on executor_ only
};

}  // namespace rushes::auth
