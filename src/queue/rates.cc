#include "queue/rates.h"

#include <string_view>

namespace rushes::queue {
namespace {

// Codes are ours and few; whatever brings more does not grow the page of metrics without end.
constexpr std::size_t kMostCodes = 100;

/// The payload's last member, behind a result that may be long. Quotes in texts are escaped, so no text looks like it.
std::string_view metadata_of(const jobs::Event& event) {
  const auto at = event.payload.rfind(R"("metadata":{)");
  return at == std::string::npos ? std::string_view() : std::string_view(event.payload).substr(at);
}

/// A word, which has nothing escaped; empty where it is not there.
std::string_view word(std::string_view metadata, std::string_view key) {
  const auto at = metadata.find(key);
  if (at == std::string_view::npos) return {};
  const auto value = metadata.substr(at + key.size());
  return value.substr(0, value.find('"'));
}

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
    add_to_totals(event);
  }
}

void Rates::add_to_totals(const jobs::Event& event) {
  const auto metadata = metadata_of(event);
  const auto type = jobs::parse_job_type(word(metadata, R"("jobType":")"));
  if (!type) return;
  auto& total = totals_.types[static_cast<std::size_t>(*type)];
  add(total, event);
  if (event.type == jobs::EventType::started && metadata.find(R"("attempt":1,)") == std::string_view::npos) {
    ++total.retried;
  }
  if (event.type != jobs::EventType::failed) return;
  const auto code = word(metadata, R"("errorCode":")");
  const bool is_known = totals_.failed.contains(code) || totals_.failed.size() < kMostCodes;
  ++totals_.failed[is_known && !code.empty() ? std::string(code) : "OTHER"];
}

Totals Rates::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
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
