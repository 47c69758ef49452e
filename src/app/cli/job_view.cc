#include "app/cli/job_view.h"

#include "app/cli/when.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace rushes::app::cli {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kStatusOfEvent{{
    {"job-queued", "pending"},
    {"job-started", "processing"},
    {"job-progress", "processing"},
    {"job-completed", "completed"},
    {"job-failed", "failed"},
    {"job-cancelled", "cancelled"},
}};

void take(std::string& to, const json::object& from, std::string_view key) {
  if (auto value = string_member(from, key)) to = std::move(*value);
}

const json::object* object_member(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found == nullptr ? nullptr : found->if_object();
}

/// A failure is told as text, or as an object with code and message.
void take_error(JobView& job, const json::object& from) {
  take(job.error, from, "error");
  take(job.error_code, from, "errorCode");
  if (const auto* error = object_member(from, "error")) {
    take(job.error, *error, "message");
    take(job.error_code, *error, "code");
  }
}

void take_shared(JobView& job, const json::object& from) {
  if (const auto progress = int_member(from, "progress")) {
    job.progress = static_cast<int>(std::clamp<std::int64_t>(*progress, 0, 100));
  }
  take(job.stage, from, "stage");
  take(job.message, from, "message");
  take_error(job, from);
  job.queue_position = int_member(from, "queuePosition").value_or(job.queue_position);
  if (const auto* metadata = object_member(from, "metadata")) {
    take(job.title, *metadata, "videoTitle");
    take(job.url, *metadata, "videoUrl");
    take(job.type, *metadata, "jobType");
    take(job.error_code, *metadata, "errorCode");
    job.attempt = int_member(*metadata, "attempt").value_or(job.attempt);
    job.queue_position = int_member(*metadata, "queuePosition").value_or(job.queue_position);
  }
}

}  // namespace

JobView job_from_rest(const json::object& body, std::string id) {
  JobView job;
  job.id = std::move(id);
  take(job.id, body, "jobId");
  take(job.type, body, "type");
  take(job.status, body, "status");
  take(job.created_at, body, "createdAt");
  take(job.started_at, body, "processedAt");
  take(job.finished_at, body, "finishedAt");
  take_shared(job, body);
  return job;
}

void apply_update(JobView& job, const json::object& update) {
  const auto event = string_member(update, "eventType").value_or("");
  const auto* known = std::find_if(kStatusOfEvent.begin(), kStatusOfEvent.end(),
                                   [&](const auto& candidate) { return candidate.first == event; });
  if (known == kStatusOfEvent.end()) return;
  // Delivery is in order; a repeated older event after an end can only be a new attempt's or a restart's start.
  if (job.ended() && event == "job-progress") return;
  job.status = known->second;
  if (!job.ended()) {
    job.error.clear();
    job.error_code.clear();
    job.finished_at.clear();
  }
  take(job.id, update, "jobId");
  take_shared(job, update);
  if (const auto* metadata = object_member(update, "metadata")) {
    if (event == "job-started") take(job.started_at, *metadata, "timestamp");
    if (job.ended()) take(job.finished_at, *metadata, "timestamp");
  }
}

json::object as_update(const JobView& job) {
  std::string_view event = "job-progress";
  if (job.status != "processing") {
    for (const auto& [name, status] : kStatusOfEvent) {
      if (status == job.status) event = name;
    }
  }
  json::object metadata{{"snapshot", true}};
  if (!job.title.empty()) metadata["videoTitle"] = job.title;
  if (!job.url.empty()) metadata["videoUrl"] = job.url;
  if (!job.type.empty()) metadata["jobType"] = job.type;
  if (job.queue_position > 0) metadata["queuePosition"] = job.queue_position;
  if (job.attempt > 0) metadata["attempt"] = job.attempt;
  if (!job.error_code.empty()) metadata["errorCode"] = job.error_code;
  json::object update{{"jobId", job.id}, {"eventType", event}, {"progress", job.progress}, {"stage", job.stage}};
  if (!job.message.empty()) update["message"] = job.message;
  if (!job.error.empty()) update["error"] = job.error;
  update["metadata"] = std::move(metadata);
  return update;
}

std::string name_of(const JobView& job) {
  if (!job.title.empty()) return printable(job.title);
  if (!job.url.empty()) return printable(job.url);
  return printable(job.id);
}

std::string words_of(const JobView& job) {
  if (job.status == "failed" && !job.error.empty()) return printable(job.error);
  auto words = printable(job.message.empty() ? job.stage : job.message);
  if (words.empty()) words = printable(job.status);
  if (!job.ended() && job.attempt > 1) words += " (attempt " + std::to_string(job.attempt) + ")";
  return words;
}

ProgressLine line_of(const JobView& job, std::string_view now) {
  ProgressLine line;
  if (job.status == "processing") line.mark = Mark::working;
  if (job.status == "completed") line.mark = Mark::done;
  if (job.status == "failed") line.mark = Mark::failed;
  if (job.status == "cancelled") line.mark = Mark::cancelled;
  line.name = name_of(job);
  line.percent = job.progress;
  line.text = words_of(job);
  line.time = elapsed(job.started_at, job.finished_at.empty() ? now : std::string_view(job.finished_at));
  return line;
}

}  // namespace rushes::app::cli
