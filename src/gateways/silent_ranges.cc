#include "gateways/silent_ranges.h"

#include <algorithm>
#include <utility>

namespace rushes::gateways {
namespace {

constexpr std::size_t kMostRanges = 4'096;  // of a follower that cannot go on

}  // namespace

bool SilentRanges::publish(std::span<const jobs::Event> events, Tells tells) {
  bool any = false;
  const std::lock_guard lock(mutex_);
  for (const auto& event : events) {
    const auto before = std::exchange(last_, event.id);
    if (tells(event)) {
      any = true;
    } else if (!ranges_.empty() && ranges_.back().upto == before) {
      ranges_.back().upto = event.id;
    } else if (before != 0 && ranges_.size() < kMostRanges) {
      ranges_.push_back({before, event.id});
    }
  }
  return any;
}

std::int64_t SilentRanges::skip(std::int64_t at) {
  const std::lock_guard lock(mutex_);
  while (!ranges_.empty() && ranges_.front().after <= at) {
    at = std::max(at, ranges_.front().upto);
    ranges_.pop_front();
  }
  return at;
}

}  // namespace rushes::gateways
