#include "net/write_pace.h"

#include <time.h>

#include <algorithm>

namespace rushes::net {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr WritePace::Duration kIdlePerWrite = microseconds(10);
constexpr WritePace::Duration::rep kMostInARow = 128;
constexpr WritePace::Duration kLookEvery = milliseconds(1);
constexpr int kPauseFactor = 4;
constexpr WritePace::Duration kLongPause = milliseconds(15);

WritePace::Duration read_clock(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

WritePace::WritePace() noexcept
    : WritePace(
          Clocks{[] { return read_clock(CLOCK_MONOTONIC); }, [] { return read_clock(CLOCK_THREAD_CPUTIME_ID); }}) {}

bool WritePace::count_idle_time() {
  const auto now = clocks_.wall();
  const auto passed = now - looked_at_;
  if (passed < kLookEvery) return false;
  const auto worked = clocks_.worked();
  const auto idle = passed - (worked - worked_);
  looked_at_ = now;
  worked_ = worked;
  writes_left_ = static_cast<std::uint32_t>(std::clamp<Duration::rep>(idle / kIdlePerWrite, 0, kMostInARow));
  return writes_left_ > 0;
}

void WritePace::begin_round() { round_began_ = clocks_.worked(); }

void WritePace::end_round() {
  const auto took = clocks_.worked() - round_began_;
  next_round_ = clocks_.wall() + std::min(kPauseFactor * took, std::max(kLongPause, took));
}

}  // namespace rushes::net
