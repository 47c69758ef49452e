#pragma once
#include "app/cli/progress_bar.h"
#include "base/json.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rushes::app::cli {

/// A job as the server tells it, in its list, its status or its events. Text is as it came: not yet printable.
struct JobView {
  std::string id;
  std::string type;
  std::string status = "pending";
  int progress = 0;
  std::string stage;
  std::string message;
  std::string title;  // empty while unknown
  std::string url;
  std::string error;
  std::string error_code;
  std::string created_at;  // RFC 3339
  std::string started_at;  // the last attempt
  std::string finished_at;
  std::int64_t queue_position = 0;  // 0: none
  std::int64_t attempt = 0;

  bool ended() const { return status == "completed" || status == "failed" || status == "cancelled"; }
  bool ended_badly() const { return ended() && status != "completed"; }
};

/// From an item of `GET /analyze/jobs`, or from the body of `GET /analyze/job/{id}/status` with its id.
JobView job_from_rest(const json::object& body, std::string id = {});

/// Brings `job` up to date with a `queue-update` payload.
void apply_update(JobView& job, const json::object& update);

/// The job as a `queue-update` payload would have told it, with `metadata.snapshot`: what scripts
/// get for a job whose events went by before they listened.
json::object as_update(const JobView& job);

/// What people call the job: its title, else its URL, else its id.
std::string name_of(const JobView& job);

/// The job on one line of a board, at `now` (RFC 3339).
ProgressLine line_of(const JobView& job, std::string_view now);

/// What is being done, or why it failed; printable.
std::string words_of(const JobView& job);

}  // namespace rushes::app::cli
