#include "queue/job_service.h"

#include "jobs/transitions.h"

#include <algorithm>

namespace rushes::queue {
namespace {

constexpr int kRedrivenAtOnce = 200;  // in one transaction

}  // namespace

JobService::JobService(jobs::JobStore& store, jobs::JobQueries& queries, Scheduler& scheduler, const Clock& clock,
                       Rng& rng, QueueLimits limits)
    : store_(store),
      queries_(queries),
      scheduler_(scheduler),
      clock_(clock),
      rng_(rng),
      limits_(limits),
      rate_(limits.submits_per_minute) {}

Task<Result<jobs::Submission>> JobService::submit(jobs::NewJob job) {
  const bool checked = quota_ != nullptr && job.type != jobs::JobType::upload;
  if (checked) {
    const auto left = co_await quota_->check_left(job.user);
    if (!left) {
      auto known = co_await submitted_before(std::move(job));
      if (known) co_return known;
      co_return left.error();
    }
  }
  auto submitted = co_await store_.submit(std::move(job), limits_.max_queued_per_user);
  if (submitted && !submitted->existed) scheduler_.wake();
  co_return submitted;
}

Task<Result<std::vector<jobs::Submission>>> JobService::submit_all(std::vector<jobs::NewJob> jobs) {
  if (quota_ != nullptr && !jobs.empty()) {
    const auto left = co_await quota_->check_left(jobs.front().user);  // all are of one user
    if (!left) co_return left.error();
  }
  auto submitted = co_await store_.submit_all(std::move(jobs), limits_.max_queued_per_user);
  if (submitted) scheduler_.wake();
  co_return submitted;
}

Task<Result<jobs::Submission>> JobService::submitted_before(jobs::NewJob job) {
  co_return co_await store_.submit(std::move(job), 0);  // of no unfinished jobs, a further one is too many
}

Task<Result<void>> JobService::cancel(UserId user, JobId job) {
  const auto outcome = co_await store_.cancel(user, job);
  if (!outcome) co_return outcome.error();
  if (*outcome == jobs::CancelOutcome::stopping) {
    co_await run_on(scheduler_.executor(), scheduler_.stop_attempt(job));
  }
  scheduler_.wake();
  co_return Result<void>();
}

Task<Result<jobs::Job>> JobService::retry(UserId user, JobId job) {
  auto found = co_await queries_.find(user, job);
  if (!found) co_return found.error();
  if (found->state != jobs::JobState::failed && found->state != jobs::JobState::cancelled) {
    co_return Error::for_user(
        Errc::conflict, "JOB_NOT_FAILED",
        "Only a failed or cancelled job can be retried; this one is " + std::string(to_string(found->state)) + ".");
  }
  auto body = co_await queries_.body_of(user, job);
  if (!body) co_return body.error();
  jobs::NewJob again;
  again.id = new_job_id();
  again.user = std::move(user);
  again.type = found->type;
  again.title = found->title;
  again.url = found->url;
  again.input = found->input;
  again.body = std::move(*body);
  again.retry_of = job;
  again.max_attempts = found->max_attempts;
  again.priority = found->priority;
  again.unique_key = found->unique_key;
  auto submitted = co_await submit(std::move(again));
  if (!submitted) co_return submitted.error();
  if (submitted->existed) co_return jobs::unique_key_taken(submitted->job.id);
  co_return std::move(submitted->job);
}

Task<Result<jobs::Job>> JobService::restart(UserId user, JobId job) {
  const auto found = co_await queries_.find(user, job);
  if (!found) co_return found.error();
  if (!is_end(found->state)) {
    const auto cancelled = co_await cancel(user, job);
    // It may have ended by itself a moment ago: then it can be restarted too.
    if (!cancelled && cancelled.error().code() != Errc::conflict) co_return cancelled.error();
  }
  auto restarted = co_await store_.restart(std::move(user), job, limits_.max_queued_per_user);
  if (restarted) scheduler_.wake();
  co_return restarted;
}

Task<Result<int>> JobService::redrive(jobs::DeadFilter filter) {
  auto left = filter.limit;
  int redriven = 0;
  for (;;) {
    filter.limit = std::min(left, kRedrivenAtOnce);
    const auto some = co_await store_.redrive(filter);
    if (!some) co_return some.error();
    redriven += some->jobs;
    left -= some->jobs;
    if (some->jobs > 0) scheduler_.wake();
    filter.behind = some->upto;
    if (filter.behind == 0 || left == 0) break;
  }
  if (redriven == 0 && filter.job) {
    const auto there = co_await why_not_redriven(*filter.job);
    if (!there) co_return there.error();
  }
  co_return redriven;
}

Task<Result<void>> JobService::why_not_redriven(JobId job) {
  const auto report = co_await queries_.report_job(job);
  if (!report) co_return report.error();
  if (report->job.state != jobs::JobState::failed) {
    co_return Error::for_user(
        Errc::conflict, "JOB_NOT_FAILED",
        "Only a failed job can be redriven; this one is " + std::string(to_string(report->job.state)) + ".");
  }
  // Where no unfinished job is allowed it is not restarted, whatever else is in its way.
  const auto tried = co_await store_.restart(report->job.user, std::move(job), 0);
  if (!tried && tried.error().code() == Errc::conflict) co_return tried.error();
  co_return Result<void>();
}

Task<Result<void>> JobService::set_type(jobs::JobType type, jobs::TypeSettings settings) {
  const auto set = co_await store_.set_type(type, settings);
  if (set) scheduler_.wake();
  co_return set;
}

}  // namespace rushes::queue
