#pragma once
#include "worker/attempt.h"

#include <memory>
#include <optional>
#include <unordered_map>

namespace rushes::worker {

/// Runs attempts, each in boxes of its own that a warm zygote makes.
///
/// A box's crash is the failure of its attempt (WORKER_CRASHED) and of nothing else.
///
/// Threads:   on one executor.
/// Lifetime:  no `run` is under way when it is destroyed, and `close` has resumed.
class Pool final : public queue::AttemptRunner {
 public:
  Pool(Executor executor, const queue::DataFolder& folder, BlockingPool& blocking, const Clock& clock, Rng& rng,
       PoolOptions options);
  ~Pool() override;

  /// Starts the zygote, so that it is warm for the first job.
  Result<void> start() { return launcher_.start(); }

  pid_t zygote() const noexcept { return launcher_.zygote(); }

  int capacity() const override { return options_.size; }
  Task<queue::AttemptEnd> run(jobs::Claimed attempt, queue::ProgressSink& progress) override;
  void stop(JobId job) override;
  Task<> discard(AuditId audit) override;

  /// Ends the zygote, and resumes when no box is being made.
  Task<> close() { return launcher_.stop(); }

 private:
  pipelines::Order order_for(jobs::Claimed& attempt) const;

  const Executor executor_;
  const queue::DataFolder& folder_;
  BlockingPool& blocking_;
  const Clock& clock_;
  Rng& rng_;
  const PoolOptions options_;
  const std::optional<box::Cgroup> cgroup_;

  // On executor_ only.
  box::Launcher launcher_;
  std::unordered_map<JobId, Attempt*> running_;  // each lives in its run()'s frame
};

}  // namespace rushes::worker
