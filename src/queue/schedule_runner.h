#pragma once
#include "async/gate.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/counters.h"
#include "queue/job_service.h"
#include "schedules/schedule_store.h"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <string>

namespace rushes::queue {

struct ScheduleRunnerOptions {
  int max_attempts = 3;
  int max_priority = 0;  // a schedule that asks for more gets this
};

/// What became of runs since the start. Read from any thread.
struct ScheduleCounts {
  Counter submitted;
  Counter skipped;
  Counter failed;  // and tried again
};

/// Submits the jobs of schedules when they are due, as their users do by hand.
///
/// A due time makes one job, wherever a crash cuts in and however many servers look: its submit has a key and a job id
/// of its own (schedules::run_key), and the schedule stays due at that time until what came of it is written down.
/// Times that were missed are one run.
///
/// Threads:   on one executor, of one thread; `wake`, `run_now` and `counts` from any.
/// Lifetime:  everything given outlives it; `stop()` before destruction.
class ScheduleRunner {
 public:
  ScheduleRunner(Executor executor, schedules::ScheduleStore& store, JobService& jobs, const Clock& clock,
                 ScheduleRunnerOptions options);
  ScheduleRunner(const ScheduleRunner&) = delete;
  ScheduleRunner& operator=(const ScheduleRunner&) = delete;

  void start();
  /// A schedule may be due sooner than it seemed.
  void wake();
  /// Safe to call twice.
  Task<> stop();

  /// Runs all that is due, to its end. False where some of it is to be tried again. `start` has it called in time.
  Task<bool> run_due();
  /// Submits the schedule's job now, besides its rhythm. Where it is unique and the job before has not ended, gives
  /// that one. Errors: `not_found` (SCHEDULE_NOT_FOUND), and those of JobService::submit.
  Task<Result<jobs::Submission>> run_now(UserId user, schedules::ScheduleId id);

  schedules::ScheduleStore& store() const noexcept { return store_; }
  const ScheduleCounts& counts() const noexcept { return counts_; }

 private:
  Task<> loop(Gate::Pass pass);
  Task<> run(schedules::Schedule schedule, Gate::Pass pass);
  Task<Result<jobs::Submission>> submit(schedules::Schedule schedule, JobId id, std::string key);
  Task<Result<jobs::Submission>> submit_due(schedules::Schedule schedule);
  Task<Result<jobs::Submission>> submit_now(UserId user, schedules::ScheduleId id);
  Task<bool> record(schedules::ScheduleId id, std::optional<Timestamp> due, schedules::LastRun run);
  Task<> wait(std::chrono::milliseconds length);

  const Executor executor_;
  schedules::ScheduleStore& store_;
  JobService& jobs_;
  const Clock& clock_;
  const ScheduleRunnerOptions options_;
  ScheduleCounts counts_;

  // On executor_ only.
  Gate gate_;
  bool stopping_ = false;
  bool woken_ = false;
  asio::steady_timer timer_;
  asio::steady_timer ended_;  // never fires; cancelled when the last of those under way has ended
  std::size_t under_way_ = 0;
  bool trouble_ = false;  // of those under way
};

}  // namespace rushes::queue
