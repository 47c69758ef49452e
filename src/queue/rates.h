#pragma once
#include "base/clock.h"
#include "jobs/event.h"

#include <array>
#include <cstdint>
#include <mutex>
#include <span>

namespace rushes::queue {

/// What happened to jobs, of all users, since some moment.
struct Happened {
  std::int64_t submitted = 0;
  std::int64_t started = 0;
  std::int64_t completed = 0;
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;
};

/// Counts what the event log tells, second by second, for an hour.
///
/// Threads: thread-safe.
class Rates {
 public:
  explicit Rates(const Clock& clock) : clock_(clock) {}

  void publish(std::span<const jobs::Event> events);
  /// In the last `seconds` seconds, this one included, at most 3600.
  Happened last(std::int64_t seconds) const;

 private:
  static constexpr std::int64_t kSeconds = 3600;
  struct Second {
    std::int64_t at = 0;
    Happened happened;
  };

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::array<Second, kSeconds> seconds_;  // under mutex_; each at its time modulo their number
};

}  // namespace rushes::queue
