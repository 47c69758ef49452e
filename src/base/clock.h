#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace rushes {

/// Wall-clock time, UTC, in milliseconds: what rows, events and tokens carry.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// Where the time comes from, so that tests can move it.
///
/// Threads: thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

/// A clock that stands still until it is told to move. For tests; thread-safe.
class FakeClock final : public Clock {
 public:
  Timestamp now() const override;
  void advance(std::chrono::milliseconds by);

 private:
  std::atomic<std::int64_t> millis_{1'767'225'600'000};  // 2026-01-01T00:00:00Z
};

/// RFC 3339 with milliseconds, e.g. `2026-01-01T00:00:00.000Z`.
std::string to_rfc3339(Timestamp time);

std::int64_t to_millis(Timestamp time);
Timestamp from_millis(std::int64_t millis);

}  // namespace rushes
