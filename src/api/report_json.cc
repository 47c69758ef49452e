#include "api/report_json.h"

#include "jobs/job_json.h"

#include <algorithm>

namespace rushes::api {
namespace {

json::value number_or_null(const std::optional<int>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

json::object to_json(const queue::Happened& happened) {
  return {{"submitted", happened.submitted},
          {"started", happened.started},
          {"completed", happened.completed},
          {"failed", happened.failed},
          {"cancelled", happened.cancelled}};
}

std::string reason_of_waiting(const jobs::JobReport& report, Timestamp now) {
  const auto& job = report.job;
  if (report.run_at && *report.run_at > now) {
    const auto until = to_rfc3339(*report.run_at);
    if (job.failure) return "It waits until " + until + " before it is tried again: " + job.failure->message;
    return "It is scheduled for " + until + ".";
  }
  const std::string type(to_string(job.type));
  if (report.type.paused) return "Jobs of the type " + type + " are paused.";
  if (report.user_is_at_limit) {
    return "Its user has " + std::to_string(report.running_of_user) + (report.running_of_user == 1 ? " job" : " jobs") +
           " running, the most that one user may have at once now.";
  }
  auto reason = "It is number " + std::to_string(report.position.value_or(0)) + " of " +
                std::to_string(report.waiting) + " that wait for a worker";
  if (report.type.max_running) {
    reason += "; at most " + std::to_string(*report.type.max_running) + " of the type " + type + " run at once";
  }
  return reason + ".";
}

/// No event tells that an attempt failed which another follows: where the last stage's attempt ended before `next`, the
/// job has waited since.
void wait_from_attempts_end(std::vector<StageTime>& stages, const std::vector<jobs::Attempt>& attempts,
                            Timestamp next) {
  if (stages.empty() || stages.back().to || stages.back().attempt == 0) return;
  auto& last = stages.back();
  const jobs::Attempt* its = nullptr;
  for (const auto& attempt : attempts) {  // of a job that was restarted two may have the number
    if (attempt.number == last.attempt && attempt.started_at <= last.from) its = &attempt;
  }
  if (its == nullptr || !its->ended_at || *its->ended_at >= next) return;
  last.to = std::max(last.from, *its->ended_at);
  stages.push_back({"waiting", 0, *last.to, std::nullopt});
}

}  // namespace

json::object to_json(const jobs::QueueReport& report, const queue::Rates& rates) {
  json::object types;
  std::int64_t waiting = 0;
  std::int64_t running = 0;
  for (std::size_t type = 0; type < report.types.size(); ++type) {
    const auto& of_type = report.types[type];
    waiting += of_type.waiting;
    running += of_type.running;
    types[to_string(static_cast<jobs::JobType>(type))] = {{"waiting", of_type.waiting},
                                                          {"running", of_type.running},
                                                          {"paused", of_type.settings.paused},
                                                          {"maxRunning", number_or_null(of_type.settings.max_running)}};
  }
  json::array busiest;
  for (const auto& user : report.busiest) {
    busiest.push_back({{"userId", user.id.value()}, {"waiting", user.waiting}, {"running", user.running}});
  }
  return {{"waiting", waiting},
          {"running", running},
          {"scheduled", report.later},
          {"dead", report.dead},
          {"oldestWaiting", time_or_null(report.oldest_waiting)},
          {"types", std::move(types)},
          {"lastMinute", to_json(rates.last(60))},
          {"lastHour", to_json(rates.last(3600))},
          {"users", report.users},
          {"busiest", std::move(busiest)}};
}

json::object to_json(const jobs::Attempt& attempt, bool with_log) {
  json::object object{{"series", attempt.series},
                      {"number", attempt.number},
                      {"startedAt", to_rfc3339(attempt.started_at)},
                      {"endedAt", time_or_null(attempt.ended_at)},
                      {"outcome", attempt.outcome ? to_string(*attempt.outcome) : "running"},
                      {"stage", attempt.stage}};
  if (attempt.failure) {
    json::object error{{"code", attempt.failure->code},
                       {"message", attempt.failure->message},
                       {"retryable", attempt.failure->retryable}};
    if (with_log && !attempt.failure->log.empty()) error["log"] = attempt.failure->log;
    object["error"] = std::move(error);
  }
  return object;
}

std::vector<StageTime> stage_times(const std::vector<jobs::Event>& events, const std::vector<jobs::Attempt>& attempts) {
  std::vector<StageTime> stages;
  for (const auto& event : events) {
    const auto payload = parse_json(event.payload);
    if (!payload || !payload->is_object()) continue;
    const auto& update = payload->get_object();
    const auto* metadata = update.if_contains("metadata");
    const bool waits = event.type == jobs::EventType::queued;
    StageTime next{string_member(update, "stage").value_or(""), 0, event.at, std::nullopt};
    if (!waits && metadata != nullptr && metadata->is_object()) {
      next.attempt = int_member(metadata->get_object(), "attempt").value_or(0);
    }
    wait_from_attempts_end(stages, attempts, event.at);
    auto* last = stages.empty() ? nullptr : &stages.back();
    if (last != nullptr && last->stage == next.stage && last->attempt == next.attempt && !last->to) continue;
    if (last != nullptr && !last->to) last->to = event.at;
    const bool ends = event.type == jobs::EventType::completed || event.type == jobs::EventType::failed ||
                      event.type == jobs::EventType::cancelled;
    if (!ends) stages.push_back(std::move(next));
  }
  wait_from_attempts_end(stages, attempts, Timestamp::max());
  return stages;
}

std::string reason_of(const jobs::JobReport& report, Timestamp now) {
  const auto& job = report.job;
  switch (job.state) {
    case jobs::JobState::pending:
      return reason_of_waiting(report, now);
    case jobs::JobState::processing:
      if (job.cancel_requested) return "Its worker is being stopped: its owner cancelled it.";
      return "Attempt " + std::to_string(job.attempt) + " runs; its worker's lease ends " +
             to_rfc3339(report.lease_expires_at.value_or(now)) + " unless it is renewed.";
    case jobs::JobState::failed:
      return job.failure ? "It failed: " + job.failure->message + " [" + job.failure->code + "]" : "It failed.";
    case jobs::JobState::cancelled:
      return "Its owner cancelled it.";
    case jobs::JobState::completed:
      return "It is done.";
  }
  return {};
}

json::object to_json(const jobs::JobReport& report, Timestamp now) {
  json::array attempts;
  for (const auto& attempt : report.attempts) attempts.push_back(to_json(attempt, true));
  json::array stages;
  for (const auto& stage : stage_times(report.events, report.attempts)) {
    const auto spent = stage.to.value_or(now) - stage.from;
    stages.push_back({{"stage", stage.stage},
                      {"attempt", stage.attempt},
                      {"from", to_rfc3339(stage.from)},
                      {"to", time_or_null(stage.to)},
                      {"seconds", static_cast<double>(spent.count()) / 1000}});
  }
  auto object = jobs::job_summary(report.job);
  object["userId"] = report.job.user.value();
  object["priority"] = report.job.priority;
  object["position"] = number_or_null(report.position);
  object["waiting"] = report.waiting;
  object["runAt"] = time_or_null(report.run_at);
  object["reason"] = reason_of(report, now);
  object["attempts"] = std::move(attempts);
  object["stages"] = std::move(stages);
  return object;
}

}  // namespace rushes::api
