#pragma once
#include "async/blocking_pool.h"
#include "queue/attempt_runner.h"
#include "queue/data_folder.h"
#include "worker/process.h"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <unordered_map>
#include <vector>

namespace rushes::worker {

struct PoolOptions {
  int size = 3;                               // attempts at once
  int jobs_per_process = 50;                  // then it is replaced: what a library leaks goes with it
  std::chrono::seconds idle_time{60};         // then an unused process is ended, and its memory freed
  std::chrono::minutes longest_attempt{240};  // then it is killed: JOB_TIMED_OUT
  std::chrono::milliseconds silence{30'000};  // of a process that works; then it is killed: WORKER_LOST
  ProcessOptions process;
};

/// Runs attempts in worker processes: started when needed, kept warm for the next job, replaced
/// when they crash or grow old.
///
/// A worker's crash is the failure of its attempt (WORKER_CRASHED) and of nothing else.
///
/// Threads:   on one executor.
/// Lifetime:  no `run` is under way when it is destroyed; `close` ends the idle processes.
class Pool final : public queue::AttemptRunner {
 public:
  Pool(Executor executor, const queue::DataFolder& folder, BlockingPool& blocking, const Clock& clock, Rng& rng,
       PoolOptions options);
  ~Pool() override;

  int capacity() const override { return options_.size; }
  Task<queue::AttemptEnd> run(jobs::Claimed attempt, queue::ProgressSink& progress) override;
  void stop(JobId job) override;
  Task<> discard(AuditId audit) override;

  /// Ends the processes that wait for work.
  Task<> close();

 private:
  struct Running;
  struct Idle {
    std::unique_ptr<Process> process;
    int jobs_done = 0;
    std::chrono::steady_clock::time_point since;
  };

  Task<Result<pipelines::Order>> prepare(const jobs::Claimed& attempt);
  Task<Result<Idle>> take_process();
  void listen_for_beats(Running& running, const JobId& job) const;
  static Task<bool> pass_on(Running& running, FromWorker& message, queue::ProgressSink& progress);
  Task<queue::AttemptEnd> converse(Running& running, pipelines::Order order, queue::ProgressSink& progress);
  Task<queue::AttemptEnd> buried(Running& running);
  Task<queue::AttemptEnd> accept(const pipelines::Order& order, Finished finished);
  void keep(Idle process);
  void watch_idle();

  const Executor executor_;
  const queue::DataFolder& folder_;
  BlockingPool& blocking_;
  const Clock& clock_;
  Rng& rng_;
  const PoolOptions options_;

  // On executor_ only.
  std::unordered_map<JobId, Running*> running_;  // each lives in its run()'s frame
  std::vector<Idle> idle_;
  asio::steady_timer idle_timer_;
  bool closed_ = false;
};

}  // namespace rushes::worker
