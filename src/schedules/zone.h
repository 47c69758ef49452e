#pragma once
#include "base/result.h"
#include "schedules/cron.h"

#include <chrono>
#include <string_view>

namespace date {
class time_zone;
}

namespace rushes::schedules {

/// The clocks of one place, by the system's time zone database (the package tzdata), which is read once in a process.
///
/// Threads: immutable.
class Zone {
 public:
  /// An IANA name such as `Europe/Berlin`. `UTC` needs no database.
  /// Errors: `invalid_argument` (TIME_ZONE_UNKNOWN).
  static Result<Zone> find(std::string_view name);

  /// From when until before when the clocks are how far ahead of UTC.
  struct Period {
    std::chrono::sys_seconds begin;
    std::chrono::sys_seconds end;
    std::chrono::seconds ahead;
  };
  Period at(std::chrono::sys_seconds time) const;

  /// The first moment when the clocks show `local`; where they leave it out, the first after the gap.
  std::chrono::sys_seconds first(LocalMinute local) const;

 private:
  explicit Zone(const date::time_zone* zone) : zone_(zone) {}

  const date::time_zone* zone_;  // of the process's database; null: UTC
};

}  // namespace rushes::schedules
