#pragma once
#include "base/id.h"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace rushes::queue {

/// How much each user may submit: a bucket of `per_minute` tokens a user, filled evenly in a minute.
///
/// Cost:     O(1); it remembers those alone who took something within the last two minutes.
/// Threads:  thread-safe.
class RateLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// 0: no limit.
  explicit RateLimit(int per_minute);

  /// Takes `tokens` out of the user's bucket. Where there are too few it takes none, and gives how long it is until
  /// there are enough; for more than a bucket holds there never are.
  std::optional<std::chrono::nanoseconds> take(const UserId& user, int tokens, TimePoint now);

  /// Puts back what was taken at `taken` and not needed, less what the bucket may have been filled with since: whoever
  /// holds tokens and gives them back later never has more than a bucket.
  void give_back(const UserId& user, int tokens, TimePoint taken, TimePoint now);

  /// How often too few were there.
  std::uint64_t refused() const;
  /// How many users it remembers.
  std::size_t size() const;

 private:
  using Book = std::unordered_map<UserId, TimePoint>;  // when the user's bucket is full

  const std::chrono::nanoseconds interval_;  // between two tokens; 0: no limit
  const std::chrono::nanoseconds whole_;     // from empty to full; at most a minute

  mutable std::mutex mutex_;  // guards what follows
  Book recent_;
  Book earlier_;  // of the minute before: full by the time it is forgotten
  TimePoint turned_;
  std::uint64_t refused_ = 0;
};

/// Tokens that are taken before it is known how many are needed; what is not kept is given back.
///
/// Threads:  single-owner.
/// Lifetime: limit and user outlive it.
class Charge {
 public:
  Charge(RateLimit& limit, const UserId& user, int tokens)
      : limit_(limit), user_(user), taken_(std::chrono::steady_clock::now()), wait_(limit.take(user, tokens, taken_)) {
    if (!wait_) spare_ = tokens;
  }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  ~Charge() {
    if (spare_ > 0) limit_.give_back(user_, spare_, taken_, std::chrono::steady_clock::now());
  }

  /// How long until there are enough, where there were too few; then it has none.
  const std::optional<std::chrono::nanoseconds>& wait() const noexcept { return wait_; }
  void keep(int tokens) noexcept { spare_ -= tokens; }

 private:
  RateLimit& limit_;
  const UserId& user_;
  const RateLimit::TimePoint taken_;
  const std::optional<std::chrono::nanoseconds> wait_;
  int spare_ = 0;
};

}  // namespace rushes::queue
