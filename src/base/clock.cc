#include "base/clock.h"

#include <fmt/chrono.h>

#include <ctime>

namespace rushes {

Timestamp SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Timestamp FakeClock::now() const { return from_millis(millis_.load()); }

void FakeClock::advance(std::chrono::milliseconds by) { millis_ += by.count(); }

std::string to_rfc3339(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = static_cast<int>((time - seconds).count());
  // Not by system_clock, whose nanoseconds end in the years 1677 and 2262: a token's time may lie beyond.
  const auto unix_time = static_cast<std::time_t>(seconds.time_since_epoch().count());
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(unix_time), rest);
}

std::int64_t to_millis(Timestamp time) { return time.time_since_epoch().count(); }

Timestamp from_millis(std::int64_t millis) { return Timestamp(std::chrono::milliseconds(millis)); }

}  // namespace rushes
