#pragma once
#include "base/json.h"
#include "queue/store_driver.h"

namespace rushes::bench {

/// How much, for how long. Every rate is what was durable and acknowledged in the measured time.
struct RatePlan {
  int in_flight = 100;
  int users = 1000;
  std::size_t body_bytes = 240;
  double seconds = 3;
  double warmup_s = 0.3;
  std::size_t bulk = 1000;        // jobs in one step
  std::int64_t backlog = 20'000;  // jobs to work off
  int claimers = 2;               // that share `in_flight`
};

/// Jobs submitted one by one, `in_flight` of them at a time.
json::object measure_enqueue(const std::filesystem::path& folder, const RatePlan& plan);
/// Jobs submitted `bulk` at once, one step after the other.
json::object measure_bulk(const std::filesystem::path& folder, const RatePlan& plan);
/// A backlog claimed and completed by workers that do nothing, from the first claim to the last end.
json::object measure_noop(const std::filesystem::path& folder, const RatePlan& plan);
/// Progress of `in_flight` running jobs, each reporting as fast as it is answered.
json::object measure_progress(const std::filesystem::path& folder, const RatePlan& plan);

}  // namespace rushes::bench
