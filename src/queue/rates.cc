#include "queue/rates.h"

#include <string_view>

namespace rushes::queue {
namespace {

std::int64_t second_of(Timestamp time) { return to_millis(time) / 1000; }

void add(Happened& happened, const jobs::Event& event) {
  switch (event.type) {
    case jobs::EventType::queued:
      // One that moved up was counted when it came.
      if (!jobs::says(event, R"("positionChanged":true)")) ++happened.submitted;
      return;
    case jobs::EventType::started:
      ++happened.started;
      return;
    case jobs::EventType::completed:
      ++happened.completed;
      return;
    case jobs::EventType::failed:
      ++happened.failed;
      return;
    case jobs::EventType::cancelled:
      ++happened.cancelled;
      return;
    case jobs::EventType::progress:
      return;
  }
}

}  // namespace

void Rates::publish(std::span<const jobs::Event> events) {
  const std::lock_guard lock(mutex_);
  for (const auto& event : events) {
    if (event.type == jobs::EventType::progress) continue;
    const auto at = second_of(event.at);
    auto& second = seconds_[static_cast<std::size_t>(at % kSeconds)];
    if (second.at != at) second = {at, {}};
    add(second.happened, event);
  }
}

Happened Rates::last(std::int64_t seconds) const {
  const auto now = second_of(clock_.now());
  Happened sum;
  const std::lock_guard lock(mutex_);
  for (const auto& second : seconds_) {
    if (second.at <= now - seconds || second.at > now) continue;
    sum.submitted += second.happened.submitted;
    sum.started += second.happened.started;
    sum.completed += second.happened.completed;
    sum.failed += second.happened.failed;
    sum.cancelled += second.happened.cancelled;
  }
  return sum;
}

}  // namespace rushes::queue
