#pragma once
#include "async/gate.h"
#include "async/task.h"
#include "jobs/job_queries.h"
#include "jobs/job_store.h"
#include "queue/attempt_runner.h"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace rushes::queue {

struct SchedulerOptions {
  std::chrono::milliseconds lease{30'000};
  std::chrono::milliseconds position_interval{1'000};
  jobs::Sharing sharing;
  /// Whether attempts have the disk that they need; errors say why not. Nothing is claimed while they do not, and what
  /// fails then is handed back: it is not the job's fault.
  std::function<Result<void>()> has_room = [] { return Result<void>(); };
};

/// Brings waiting jobs and free workers together, holds the leases of what runs, and writes down
/// how each attempt ended.
///
/// Threads:   on one executor, of one thread; `wake` alone may be called from any.
/// Lifetime:  store, queries and runner outlive it; `stop()` before destruction.
class Scheduler {
 public:
  Scheduler(Executor executor, jobs::JobStore& store, jobs::JobQueries& queries, AttemptRunner& runner, Rng& rng,
            SchedulerOptions options);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Takes up what a crashed server left unfinished and begins to work. Once.
  Task<> start();

  /// Something may be ready to run, or positions may have changed.
  void wake();

  /// Stops the attempt of `job`, which is being cancelled, and resumes when its end is written
  /// down; at once where none runs here.
  Task<> stop_attempt(JobId job);

  /// Claims nothing more, hands running attempts back to the queue, and resumes when none is
  /// left. Safe to call twice.
  Task<> stop();

  Executor executor() const { return executor_; }
  std::size_t running() const { return running_.size(); }

 private:
  struct Attempt;

  /// Takes up what a stopped server left running; again before each claim until it succeeds.
  Task<> take_up();
  Task<> claim_loop(Gate::Pass pass);
  Task<> release_unanswered();
  Task<> lease_loop(Gate::Pass pass);
  Task<> position_loop(Gate::Pass pass);
  Task<> run_attempt(jobs::Claimed claimed, std::shared_ptr<Attempt> attempt, Gate::Pass pass);
  Task<Result<void>> write_end(Attempt& attempt, AttemptEnd end);
  Task<Result<void>> write_once(Attempt& attempt, const AttemptEnd& end, std::chrono::milliseconds retry_in);
  Task<> renew_all();
  Task<> wait(asio::steady_timer& timer, std::chrono::milliseconds length);
  /// Whether there is room to work; says so when that changes.
  bool look_for_room();
  Task<std::chrono::milliseconds> until_next_due();

  const Executor executor_;
  jobs::JobStore& store_;
  jobs::JobQueries& queries_;
  AttemptRunner& runner_;
  Rng& rng_;
  const SchedulerOptions options_;

  std::atomic<bool> waking_{false};  // posted, and not there yet

  // On executor_ only.
  Gate gate_;
  bool stopping_ = false;
  bool taken_up_ = false;
  bool woken_ = false;
  bool claiming_ = false;
  std::uint64_t claim_key_ = 0;  // of the claim that was not answered
  bool positions_changed_ = false;
  bool had_room_ = true;
  std::optional<Timestamp> due_;  // when what waits for its time comes to wait in the order
  asio::steady_timer claim_timer_;
  asio::steady_timer lease_timer_;
  asio::steady_timer position_timer_;
  asio::steady_timer claim_over_;  // never fires; cancelled when a claim is over
  std::unordered_map<JobId, std::shared_ptr<Attempt>> running_;
};

}  // namespace rushes::queue
