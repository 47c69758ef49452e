#include "jobs/job_json.h"

#include "base/json_writer.h"

namespace rushes::jobs {
namespace {

json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

json::object metadata(const Job& job) {
  json::object metadata;
  if (!job.title.empty()) metadata["videoTitle"] = job.title;
  if (!job.url.empty()) metadata["videoUrl"] = job.url;
  metadata["jobType"] = to_string(job.type);
  if (job.attempt > 0) metadata["attempt"] = job.attempt;
  if (job.audit) metadata["auditId"] = job.audit->value();
  if (job.failure) metadata["errorCode"] = job.failure->code;
  if (job.queue_position) metadata["queuePosition"] = *job.queue_position;
  if (job.retry_of) metadata["retryOf"] = job.retry_of->value();
  if (job.restarted) metadata["restarted"] = true;
  return metadata;
}

json::object common(const Job& job) {
  json::object object{{"jobId", job.id.value()},
                      {"type", to_string(job.type)},
                      {"status", to_string(job.state)},
                      {"progress", job.progress},
                      {"stage", job.stage},
                      {"message", job.message},
                      {"error", job.failure ? json::value(job.failure->message) : json::value(nullptr)},
                      {"createdAt", to_rfc3339(job.created_at)},
                      {"processedAt", time_or_null(job.processed_at)},
                      {"finishedAt", time_or_null(job.finished_at)},
                      {"metadata", metadata(job)}};
  if (job.queue_position) object["queuePosition"] = *job.queue_position;
  if (job.priority != 0) object["priority"] = job.priority;
  if (job.run_at) object["runAt"] = to_rfc3339(*job.run_at);
  if (!job.unique_key.empty()) object["uniqueKey"] = job.unique_key;
  return object;
}

}  // namespace

json::object job_summary(const Job& job) { return common(job); }

json::object job_status(const Job& job, std::optional<json::object> result) {
  auto object = common(job);
  // What was asked for; never the transcript itself, nor where a file lies.
  json::object asked;
  const auto input = input_of(job);
  for (const auto* key : {"configuration", "fileName", "size"}) {
    if (const auto* member = input.if_contains(key)) asked[key] = *member;
  }
  object["data"] = std::move(asked);
  object["result"] = result ? json::value(std::move(*result)) : json::value(nullptr);
  return object;
}

json::object input_of(const Job& job) {
  auto value = parse_json(job.input);
  if (!value || !value->is_object()) return {};
  return std::move(value->get_object());
}

std::string submit_answer(const Job& job) {
  JsonWriter answer(256);
  answer.add("jobId", job.id.value()).add("message", job.message);
  if (job.queue_position) {
    answer.add("queuePosition", *job.queue_position);
  } else {
    answer.add("queuePosition", json::value());
  }
  return answer.take();
}

json::object history_entry(const Analysis& analysis) {
  // The transcript is by far its largest part; `GET /analyze/job/{id}/status` has it.
  auto entry = analysis.result;
  entry.erase("transcript");
  entry["id"] = analysis.id.value();
  entry["auditId"] = analysis.id.value();
  entry["jobId"] = analysis.job.value();
  entry["type"] = to_string(analysis.type);
  entry["title"] = analysis.title;
  entry["createdAt"] = to_rfc3339(analysis.created_at);
  return entry;
}

}  // namespace rushes::jobs
