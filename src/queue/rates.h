#pragma once
#include "base/clock.h"
#include "jobs/event.h"
#include "jobs/queue_report.h"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>

namespace rushes::queue {

/// What happened to jobs, of all users, since some moment.
struct Happened {
  std::int64_t submitted = 0;
  std::int64_t started = 0;
  std::int64_t completed = 0;
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;
};

/// What happened since the start.
struct Totals {
  struct Type : Happened {
    std::int64_t retried = 0;  // of those that started: attempts after a job's first
  };
  std::array<Type, jobs::kJobTypes> types;
  std::map<std::string, std::int64_t, std::less<>> failed;  // by the error's code
};

/// Counts what the event log tells: second by second, for an hour, and since the start.
///
/// Threads: thread-safe.
class Rates {
 public:
  explicit Rates(const Clock& clock) : clock_(clock) {}

  void publish(std::span<const jobs::Event> events);
  /// In the last `seconds` seconds, this one included, at most 3600.
  Happened last(std::int64_t seconds) const;
  Totals totals() const;

 private:
  void add_to_totals(const jobs::Event& event);

  static constexpr std::int64_t kSeconds = 3600;
  struct Second {
    std::int64_t at = 0;
    Happened happened;
  };

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::array<Second, kSeconds> seconds_;  // under mutex_; each at its time modulo their number
  Totals totals_;                         // under mutex_
};

}  // namespace rushes::queue
