#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace rushes {

/// A number that one thread counts up and others read now and then, for metrics.
///
/// Threads:  `add` and `subtract` from one thread only, `value` from any: no locked instruction on hot paths.
class Counter {
 public:
  void add(std::uint64_t more) noexcept { value_.store(value() + more, std::memory_order_relaxed); }
  void subtract(std::uint64_t less) noexcept { value_.store(value() - less, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// How long something took, in buckets. Threads: as Counter.
class DurationHistogram {
 public:
  /// Upper borders in nanoseconds; one more bucket takes the rest.
  static constexpr std::array<std::int64_t, 14> kBorders{
      10'000,    25'000,     50'000,     100'000,     250'000,     500'000,       1'000'000,
      2'500'000, 10'000'000, 25'000'000, 100'000'000, 500'000'000, 2'500'000'000, 10'000'000'000};

  void observe(std::int64_t nanoseconds) noexcept {
    std::size_t bucket = 0;
    while (bucket < kBorders.size() && nanoseconds > kBorders[bucket]) ++bucket;
    buckets_[bucket].add(1);
    sum_.add(static_cast<std::uint64_t>(nanoseconds));
  }
  /// Observations in bucket `i` alone.
  std::uint64_t count(std::size_t i) const noexcept { return buckets_[i].value(); }
  std::uint64_t sum() const noexcept { return sum_.value(); }

 private:
  std::array<Counter, kBorders.size() + 1> buckets_;
  Counter sum_;
};

}  // namespace rushes
