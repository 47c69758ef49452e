#include "net/body_budget.h"

namespace rushes::net {

BodyBudget::Verdict BodyBudget::Lease::resize(std::size_t bytes, std::string_view owner) {
  const auto counted = bytes > kFree ? bytes : 0;
  if (counted == bytes_) return Verdict::granted;
  if (bytes_ == 0) owner_ = owner;
  const auto verdict = budget_.change(owner_, bytes_, counted);
  if (verdict == Verdict::granted) bytes_ = counted;
  return verdict;
}

void BodyBudget::Lease::release() {
  if (bytes_ > 0) budget_.change(owner_, std::exchange(bytes_, 0), 0);
}

BodyBudget::Verdict BodyBudget::change(std::string_view owner, std::size_t from, std::size_t to) {
  const std::lock_guard lock(mutex_);
  const auto entry = owners_.try_emplace(std::string(owner), 0).first;
  const auto others = used() - from;             // of all other bodies
  const auto own_others = entry->second - from;  // of the same owner's
  auto verdict = Verdict::granted;
  if (to > from) {
    if (to > limit_) {
      verdict = Verdict::too_large;
    } else if (own_others > 0 && own_others + to > limit_ / kShares) {
      verdict = Verdict::share_used;
    } else if (others + to > limit_) {
      verdict = Verdict::full;
    }
  }
  if (verdict == Verdict::granted) {
    used_.store(others + to, std::memory_order_relaxed);
    entry->second = own_others + to;
  } else {
    refused_.fetch_add(1, std::memory_order_relaxed);
  }
  if (entry->second == 0) owners_.erase(entry);
  return verdict;
}

}  // namespace rushes::net
