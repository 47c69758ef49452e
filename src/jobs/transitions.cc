#include "jobs/transitions.h"

#include "base/json_writer.h"
#include "jobs/retry_policy.h"

#include <algorithm>

namespace rushes::jobs {
namespace {

constexpr int kStartedPercent = 10;

/// `about 40 s`, `about 3 min`, as people say it.
std::string wait_in_words(int seconds) {
  if (seconds < 60) return "about " + std::to_string(std::max(1, seconds)) + " s";
  return "about " + std::to_string((seconds + 30) / 60) + " min";
}

void queue_up(Job& job, int position, std::optional<int> estimated_wait) {
  job.state = JobState::pending;
  job.progress = 0;
  job.stage = "queued";
  job.message = "Job queued at position " + std::to_string(position);
  if (estimated_wait) job.message += " (" + wait_in_words(*estimated_wait) + " to wait)";
  job.queue_position = position;
  job.run_at.reset();
}

EventDraft queued_draft(std::optional<int> estimated_wait, bool position_changed) {
  return {EventType::queued, nullptr, estimated_wait, position_changed};
}

void end(Job& job, JobState state, std::string message, Timestamp now) {
  job.state = state;
  job.stage = to_string(state);
  job.message = std::move(message);
  job.finished_at = now;
  job.cancel_requested = false;
  job.queue_position.reset();
  job.run_at.reset();
}

std::string so_many(int count, std::string_view thing) {
  return std::to_string(count) + " " + std::string(thing) + (count == 1 ? "" : "s");
}

}  // namespace

Error job_not_found() { return Error::for_user(Errc::not_found, "JOB_NOT_FOUND", "There is no such job."); }

Error job_ended(JobState state) {
  return Error::for_user(Errc::conflict, "JOB_ENDED",
                         "The job has ended already: it is " + std::string(to_string(state)) + ".");
}

Error job_not_ended() {
  return Error::for_user(Errc::conflict, "JOB_NOT_ENDED", "The job has not ended yet; cancel it first.");
}

Error unique_key_taken(const JobId& by) {
  return Error::for_user(
      Errc::conflict, "UNIQUE_KEY_TAKEN",
      "The unfinished job " + by.value() + " has the same uniqueKey; wait for its end or cancel it.");
}

Error queue_limit(int max_unfinished) {
  return Error::for_user(Errc::exhausted, "QUEUE_LIMIT",
                         "You have " + so_many(max_unfinished, "unfinished job") +
                             ", the most allowed; wait for one to end or cancel one.");
}

Error queue_limit(int max_unfinished, int unfinished, int wanted) {
  if (wanted > max_unfinished) {
    return Error::for_user(Errc::too_large, "BULK_TOO_LARGE",
                           "These are " + so_many(wanted, "new job") + "; you may have " +
                               std::to_string(max_unfinished) +
                               " unfinished ones at most. Send them in parts; none of them was taken.");
  }
  return Error::for_user(Errc::exhausted, "QUEUE_LIMIT",
                         "You have " + so_many(unfinished, "unfinished job") + "; with " + std::to_string(wanted) +
                             " more it would be over " + std::to_string(max_unfinished) +
                             ", the most allowed; none of them was taken.");
}

Error rate_limited(int per_minute, std::chrono::seconds wait) {
  return Error::for_user(Errc::exhausted, "RATE_LIMITED",
                         "You may submit " + so_many(per_minute, "job") + " a minute; try again in " +
                             std::to_string(wait.count()) + " s.");
}

Transition created(const NewJob& request, std::optional<int> position, std::optional<int> estimated_wait,
                   Timestamp now) {
  Job job;
  job.id = request.id;
  job.user = request.user;
  job.type = request.type;
  job.title = request.title;
  job.url = request.url;
  job.input = request.input;
  job.max_attempts = request.max_attempts;
  job.priority = request.priority;
  job.unique_key = request.unique_key;
  job.retry_of = request.retry_of;
  job.created_at = now;
  if (position) {
    queue_up(job, *position, estimated_wait);
  } else {
    job.run_at = request.run_at.value_or(now);
    job.message = "Job scheduled for " + to_rfc3339(*job.run_at);
  }
  return {std::move(job), queued_draft(estimated_wait, false)};
}

Transition started(Job job, Timestamp now) {
  job.state = JobState::processing;
  ++job.attempt;
  job.progress = kStartedPercent;
  job.stage = "processing";
  job.message = "Job processing started";
  job.processed_at = now;
  job.finished_at.reset();
  job.failure.reset();
  job.queue_position.reset();
  job.run_at.reset();
  return {std::move(job), EventDraft{EventType::started, nullptr, std::nullopt, false}};
}

Transition progressed(Job job, const ProgressReport& report) {
  // 100 is said by the end alone.
  job.progress = std::max(job.progress, std::min(report.percent, 99));
  if (!report.stage.empty()) job.stage = report.stage;
  job.message = report.message;
  if (!report.title.empty()) job.title = report.title;
  return {std::move(job), EventDraft{EventType::progress, nullptr, std::nullopt, false}};
}

Transition completed(Job job, const Completion& completion, Timestamp now) {
  if (!completion.title.empty()) job.title = completion.title;
  end(job, JobState::completed, "Job completed successfully", now);
  job.progress = 100;
  job.audit = completion.audit;
  return {std::move(job), EventDraft{EventType::completed, &completion.result, std::nullopt, false}};
}

Failing attempt_failed(Job job, const Failure& failure, int alike, Timestamp now) {
  if (job.cancel_requested) return {AfterFailure::cancelled, cancelled(std::move(job), now)};
  job.failure = failure;
  if (alike + 1 < attempts_allowed(class_of(failure), job.max_attempts)) {
    job.state = JobState::pending;
    job.message = "Waiting to try again: " + failure.message;
    return {AfterFailure::will_retry, {std::move(job), std::nullopt}};
  }
  end(job, JobState::failed, "Job processing failed", now);
  return {AfterFailure::failed, {std::move(job), EventDraft{EventType::failed, nullptr, std::nullopt, false}}};
}

Transition cancelled(Job job, Timestamp now) {
  end(job, JobState::cancelled, "Job cancelled by user", now);
  job.failure.reset();
  return {std::move(job), EventDraft{EventType::cancelled, nullptr, std::nullopt, false}};
}

Transition handed_back(Job job) {
  job.state = JobState::pending;
  // The attempt's number stays taken, so that what it has told is never told again with less progress.
  job.message = "Waiting to start again";
  return {std::move(job), std::nullopt};
}

Result<Transition> restarted(Job job, int position, std::optional<int> estimated_wait) {
  if (!is_end(job.state)) return job_not_ended();
  job.attempt = 0;
  job.restarted = true;
  job.cancel_requested = false;
  job.failure.reset();
  job.processed_at.reset();
  job.finished_at.reset();
  queue_up(job, position, estimated_wait);
  return Transition{std::move(job), queued_draft(estimated_wait, false)};
}

Transition moved(Job job, int position, std::optional<int> estimated_wait) {
  queue_up(job, position, estimated_wait);
  return {std::move(job), queued_draft(estimated_wait, true)};
}

std::string payload_of(const Job& job, const EventDraft& event, std::int64_t seq, Timestamp at) {
  JsonWriter payload;
  payload.add("jobId", job.id.value()).add("eventType", to_string(event.type)).add("progress", job.progress);
  payload.add("stage", job.stage).add("message", job.message);
  if (event.type == EventType::failed && job.failure) payload.add("error", job.failure->message);
  if (event.type == EventType::completed && event.result != nullptr) payload.add("result", *event.result);
  payload.begin("metadata");
  if (!job.title.empty()) payload.add("videoTitle", job.title);
  if (!job.url.empty()) payload.add("videoUrl", job.url);
  payload.add("jobType", to_string(job.type));
  if (event.type == EventType::queued) {
    if (job.queue_position) payload.add("queuePosition", *job.queue_position);
    if (event.estimated_wait) payload.add("estimatedWaitTime", *event.estimated_wait);
    if (event.position_changed) payload.add("positionChanged", true);
  } else if (job.attempt > 0) {
    payload.add("attempt", job.attempt);
  }
  if (event.type == EventType::completed && job.audit) payload.add("auditId", job.audit->value());
  if (event.type == EventType::failed && job.failure) payload.add("errorCode", job.failure->code);
  if (job.restarted) payload.add("restarted", true);
  if (job.retry_of) payload.add("retryOf", job.retry_of->value());
  payload.add("seq", seq).add("timestamp", to_rfc3339(at)).end();
  return payload.take();
}

}  // namespace rushes::jobs
