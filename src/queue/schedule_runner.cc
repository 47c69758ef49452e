#include "queue/schedule_runner.h"

#include "base/log.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>

namespace rushes::queue {
namespace {

using schedules::LastRun;
using schedules::Schedule;
using schedules::ScheduleId;

// Each may bring a transcript of megabytes.
constexpr int kAtOnce = 16;
// A clock that is put forward is noticed so soon.
constexpr std::chrono::milliseconds kLongestSleep{60'000};
constexpr std::chrono::milliseconds kShortestSleep{10};
constexpr std::chrono::milliseconds kAfterTrouble{5'000};

Result<jobs::NewJob> job_of(Schedule schedule, JobId id, std::string key, const ScheduleRunnerOptions& options) {
  const auto type = jobs::parse_job_type(schedule.job.type);
  if (!type) return type.error();
  jobs::NewJob job;
  job.id = std::move(id);
  job.user = std::move(schedule.user);
  job.type = *type;
  job.title = std::move(schedule.job.title);
  job.url = std::move(schedule.job.url);
  job.input = std::move(schedule.job.input);
  job.body = std::move(schedule.job.body);
  job.idempotency_key = std::move(key);
  job.unique_key = std::move(schedule.job.unique_key);
  if (job.unique_key.empty() && schedule.unique) job.unique_key = "schedule:" + schedule.id.value();
  job.max_attempts = options.max_attempts;
  job.priority = std::min(schedule.job.priority, options.max_priority);
  return job;
}

/// What is noted of a submit that asked for the job `wanted`.
LastRun outcome(const Result<jobs::Submission>& submitted, const JobId& wanted, Timestamp at) {
  if (!submitted) return {at, std::string(submitted.error().public_name()), std::nullopt};
  const auto& job = submitted->job.id;
  return {at, job == wanted ? "" : "JOB_UNFINISHED", job};
}

}  // namespace

ScheduleRunner::ScheduleRunner(Executor executor, schedules::ScheduleStore& store, JobService& jobs, const Clock& clock,
                               ScheduleRunnerOptions options)
    : executor_(executor),
      store_(store),
      jobs_(jobs),
      clock_(clock),
      options_(options),
      gate_(executor),
      timer_(executor),
      ended_(executor, asio::steady_timer::time_point::max()) {}

void ScheduleRunner::start() {
  if (auto pass = gate_.try_enter()) spawn_detached(executor_, "schedules", loop(std::move(*pass)));
}

void ScheduleRunner::wake() {
  asio::post(executor_, [this] {
    woken_ = true;
    timer_.cancel();
  });
}

Task<> ScheduleRunner::stop() {
  stopping_ = true;
  timer_.cancel();
  co_await gate_.close();
}

Task<> ScheduleRunner::loop(Gate::Pass pass) {
  const auto held = std::move(pass);
  while (!stopping_) {
    woken_ = false;
    auto sleep = kAfterTrouble;
    const bool done = co_await run_due();
    if (done) {
      const auto next = co_await store_.next_due();
      if (!next) {
        log::warning("schedules", "cannot read what is due next: {}", next.error().what());
      } else {
        sleep = *next ? std::clamp(**next - clock_.now(), kShortestSleep, kLongestSleep) : kLongestSleep;
      }
    }
    if (!woken_) co_await wait(sleep);
  }
}

Task<bool> ScheduleRunner::run_due() {
  while (!stopping_) {
    auto due = co_await store_.due(kAtOnce);
    if (!due) {
      log::warning("schedules", "cannot read what is due: {}", due.error().what());
      co_return false;
    }
    trouble_ = false;
    for (auto& schedule : *due) {
      auto entered = gate_.try_enter();
      if (!entered) break;
      ++under_way_;
      spawn_detached(executor_, "schedules", run(std::move(schedule), std::move(*entered)));
    }
    boost::system::error_code woken;
    while (under_way_ > 0) co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (trouble_) co_return false;
    if (due->size() < static_cast<std::size_t>(kAtOnce)) break;
  }
  co_return true;
}

Task<> ScheduleRunner::run(Schedule schedule, Gate::Pass pass) {
  const auto held = std::move(pass);
  const auto id = schedule.id;
  const auto due = *schedule.next_at;
  const auto job = schedules::run_job_id(id, due);
  const auto submitted = co_await submit_due(std::move(schedule));
  bool settled = false;
  if (!submitted && submitted.error().code() == Errc::unavailable) {
    log::warning("schedules", "schedule={} cannot be run: {}", id.value(), submitted.error().what());
  } else {
    auto last = outcome(submitted, job, clock_.now());
    if (!last.skipped.empty()) log::info("schedules", "schedule={} skipped: {}", id.value(), last.skipped);
    settled = co_await record(id, due, std::move(last));
  }
  if (!settled) counts_.failed.add(1);
  trouble_ = trouble_ || !settled;
  if (--under_way_ == 0) ended_.cancel();
}

Task<Result<jobs::Submission>> ScheduleRunner::submit(Schedule schedule, JobId id, std::string key) {
  auto job = job_of(std::move(schedule), std::move(id), std::move(key), options_);
  if (!job) co_return job.error();
  co_return co_await jobs_.submit(std::move(*job));
}

Task<Result<jobs::Submission>> ScheduleRunner::submit_due(Schedule schedule) {
  const auto due = *schedule.next_at;
  auto job = schedules::run_job_id(schedule.id, due);
  const auto user = schedule.user;
  auto charge = jobs_.charge(user, 1);
  if (charge.wait()) {
    // It may have been submitted before a crash, or before a disk refused what came of it.
    auto there = co_await jobs_.queries().find(user, job);
    if (there) co_return jobs::Submission{std::move(*there), true};
    if (there.error().code() != Errc::not_found) co_return there.error();
    co_return Error::for_user(Errc::exhausted, "RATE_LIMITED", "More jobs a minute than are allowed.");
  }
  auto key = schedules::run_key(schedule.id, due);
  auto submitted = co_await submit(std::move(schedule), std::move(job), std::move(key));
  if (submitted && !submitted->existed) charge.keep(1);
  co_return submitted;
}

Task<Result<jobs::Submission>> ScheduleRunner::run_now(UserId user, ScheduleId id) {
  co_return co_await run_on(executor_, submit_now(std::move(user), std::move(id)));
}

Task<Result<jobs::Submission>> ScheduleRunner::submit_now(UserId user, ScheduleId id) {
  auto schedule = co_await store_.find(std::move(user), id);
  if (!schedule) co_return schedule.error();
  const auto job = jobs_.new_job_id();
  auto submitted = co_await submit(std::move(*schedule), job, std::string());
  // The job is there, and its owner is told so, whether or not that can be written down.
  if (submitted) {
    const std::optional<Timestamp> no_due_time;
    auto last = outcome(submitted, job, clock_.now());
    co_await record(std::move(id), no_due_time, std::move(last));
  }
  co_return submitted;
}

Task<bool> ScheduleRunner::record(ScheduleId id, std::optional<Timestamp> due, LastRun run) {
  const bool skipped = !run.skipped.empty();
  const auto recorded = co_await store_.record(id, due, std::move(run));
  if (recorded) {
    (skipped ? counts_.skipped : counts_.submitted).add(1);
  } else {
    log::warning("schedules", "schedule={} run and not recorded: {}", id.value(), recorded.error().what());
  }
  co_return recorded.has_value();
}

Task<> ScheduleRunner::wait(std::chrono::milliseconds length) {
  if (stopping_) co_return;
  timer_.expires_after(length);
  boost::system::error_code woken;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

}  // namespace rushes::queue
