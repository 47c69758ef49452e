#pragma once
#include <chrono>
#include <cstdint>

namespace rushes::net {

/// When a loop writes: a message that goes out by itself costs its receiver the least time, one that goes out with
/// others costs the loop the least, since a write costs far more than a message. So a loop that has time to spare
/// writes each at once, and one that has none gathers.
///
/// Threads: the loop's.
class WritePace {
 public:
  using Duration = std::chrono::nanoseconds;
  /// What it goes by: time that passes, and time that the thread worked. What others take of the processor does not
  /// make our work longer.
  struct Clocks {
    Duration (*wall)();
    Duration (*worked)();
  };

  WritePace() noexcept;
  explicit WritePace(Clocks clocks) noexcept : clocks_(clocks) {}

  /// Whether the next message may be written at once. Idle time pays for that: one write for each 10 µs, some hundred
  /// in a row at most.
  bool may_write_now() {
    if (writes_left_ == 0 && !count_idle_time()) return false;
    --writes_left_;
    return true;
  }

  /// Around a round of writes of all that was gathered.
  void begin_round();
  void end_round();
  /// How long to gather until the next one: a few times as long as the last one took, and at most 15 ms, or once
  /// as long. Zero or less: no longer.
  Duration to_next_round() const { return next_round_ - clocks_.wall(); }

 private:
  /// False where it pays for no write.
  bool count_idle_time();

  const Clocks clocks_;
  Duration looked_at_{};  // wall time, when idle time was last counted
  Duration worked_{};     // at that time
  std::uint32_t writes_left_ = 0;
  Duration round_began_{};  // by time worked
  Duration next_round_{};   // by wall time
};

}  // namespace rushes::net
