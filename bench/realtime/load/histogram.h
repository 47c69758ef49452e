#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rushes::bench {

/// Durations in nanoseconds, counted in buckets no wider than 1.6 % of their value.
class Histogram {
 public:
  void add(std::uint64_t ns) {
    largest_ = std::max(largest_, ns);
    ++count_;
    const auto exponent = ns < 128 ? 0 : std::bit_width(ns) - 7;  // ns >> exponent lies in [64, 128) above 127
    const auto bucket = static_cast<std::size_t>(exponent) * 64 + (ns >> exponent);
    ++buckets_[std::min(bucket, buckets_.size() - 1)];
  }

  /// The value below which a share `part` (0 to 1) of all lies; 0 of none.
  double quantile(double part) const {
    if (count_ == 0) return 0;
    const auto wanted = std::min(static_cast<std::uint64_t>(part * static_cast<double>(count_)), count_ - 1);
    std::uint64_t passed = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      passed += buckets_[i];
      if (passed <= wanted) continue;
      const auto exponent = i < 128 ? 0 : i / 64 - 1;
      const auto middle = (static_cast<double>(i - exponent * 64) + 0.5) * static_cast<double>(1ULL << exponent);
      return std::min(static_cast<double>(largest_), middle);
    }
    return static_cast<double>(largest_);
  }

  double largest() const { return static_cast<double>(largest_); }
  std::uint64_t count() const { return count_; }

 private:
  std::vector<std::uint64_t> buckets_ = std::vector<std::uint64_t>(64UL * 64, 0);
  std::uint64_t count_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace rushes::bench
