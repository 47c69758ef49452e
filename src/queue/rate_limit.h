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

}  // namespace rushes::queue
