#pragma once
#include "base/json.h"
#include "jobs/queue_report.h"
#include "queue/rates.h"

namespace rushes::api {

// What operators are shown.

json::object to_json(const jobs::QueueReport& report, const queue::Rates& rates);
/// With why it is where it is, in a sentence, and where its time went.
json::object to_json(const jobs::JobReport& report, Timestamp now);
/// Without what its worker wrote, unless `with_log`.
json::object to_json(const jobs::Attempt& attempt, bool with_log);

/// Why a job is where it is: one sentence for an operator.
std::string reason_of(const jobs::JobReport& report, Timestamp now);

/// Where a job spent its time: `queued`, each stage that its events tell of, with the attempts' numbers, and `waiting`
/// between an attempt's end and the next.
struct StageTime {
  std::string stage;
  std::int64_t attempt = 0;  // 0: waiting
  Timestamp from;
  std::optional<Timestamp> to;  // nothing: still
};
std::vector<StageTime> stage_times(const std::vector<jobs::Event>& events, const std::vector<jobs::Attempt>& attempts);

}  // namespace rushes::api
