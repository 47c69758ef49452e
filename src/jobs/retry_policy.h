#pragma once
#include "base/random.h"

#include <algorithm>
#include <chrono>

namespace rushes::jobs {

/// How long a job waits before its next attempt, after `attempt` failed ones (from 1): 2 s doubled each
/// time up to 5 minutes, of which a random half is taken off, so that what failed together does not
/// come back together.
inline std::chrono::milliseconds retry_delay(int attempt, Rng& rng) {
  constexpr std::int64_t kFirst = 2'000;
  constexpr std::int64_t kLongest = 300'000;
  const auto full = std::min(kLongest, kFirst << std::clamp(attempt - 1, 0, 16));
  const auto jitter = static_cast<std::int64_t>(rng.next_u64() % static_cast<std::uint64_t>(full / 2));
  return std::chrono::milliseconds(full - jitter);
}

}  // namespace rushes::jobs
