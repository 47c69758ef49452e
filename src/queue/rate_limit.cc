#include "queue/rate_limit.h"

#include <algorithm>
#include <utility>

namespace rushes::queue {
namespace {

constexpr std::chrono::nanoseconds kMinute = std::chrono::minutes(1);

}  // namespace

RateLimit::RateLimit(int per_minute)
    : interval_(per_minute == 0 ? std::chrono::nanoseconds(0) : kMinute / per_minute), whole_(interval_ * per_minute) {}

std::optional<std::chrono::nanoseconds> RateLimit::take(const UserId& user, int tokens, TimePoint now) {
  if (interval_.count() == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (now - turned_ >= kMinute) {
    // Whoever is in the book before this one was there a minute ago or longer: that bucket is full.
    earlier_ = now - turned_ < 2 * kMinute ? std::exchange(recent_, {}) : Book();
    recent_.clear();
    turned_ = now;
  }
  auto full_at = now;
  for (const auto* book : {&recent_, &earlier_}) {
    const auto known = book->find(user);
    if (known != book->end()) full_at = std::max(full_at, known->second);
  }
  full_at += interval_ * tokens;
  if (full_at - now > whole_) {
    ++refused_;
    return full_at - now - whole_;
  }
  recent_.insert_or_assign(user, full_at);
  return std::nullopt;
}

void RateLimit::give_back(const UserId& user, int tokens, TimePoint taken, TimePoint now) {
  const auto back = interval_ * tokens - (now - taken);
  if (back.count() <= 0) return;
  const std::lock_guard lock(mutex_);
  for (auto* book : {&recent_, &earlier_}) {
    const auto known = book->find(user);
    if (known != book->end()) known->second -= std::chrono::duration_cast<TimePoint::duration>(back);
  }
}

std::uint64_t RateLimit::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

std::size_t RateLimit::size() const {
  const std::lock_guard lock(mutex_);
  return recent_.size() + earlier_.size();
}

}  // namespace rushes::queue
