#pragma once
#include "async/task.h"
#include "jobs/job_store.h"

#include <string>
#include <variant>

namespace rushes::queue {

/// An attempt ended and was ended by nobody: it made a result, or it failed.
using AttemptResult = std::variant<jobs::Failure, jobs::Completion>;

/// How an attempt ended. Without a result it was stopped by `AttemptRunner::stop`, and nothing of
/// it is left running.
struct AttemptEnd {
  std::optional<AttemptResult> result;
};

/// Where a runner reports how far its attempt is.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual Task<> report(jobs::ProgressReport report) = 0;
  /// What a later attempt is to be given.
  virtual Task<> checkpoint(std::string name, std::string data) = 0;
};

/// What does the work of attempts. The scheduler owns the leases; a runner knows nothing of them.
///
/// Threads: every call on the scheduler's executor.
class AttemptRunner {
 public:
  virtual ~AttemptRunner() = default;

  /// How many attempts it runs at once.
  virtual int capacity() const = 0;

  /// Runs one attempt to its end, whatever happens to the worker. `progress` outlives the task.
  virtual Task<AttemptEnd> run(jobs::Claimed attempt, ProgressSink& progress) = 0;

  /// Ends the attempt of `job`, by force and soon; its `run` then returns. Without effect when none runs.
  virtual void stop(JobId job) = 0;

  /// Removes what was kept on disk for an analysis that is not, or no longer, saved.
  virtual Task<> discard(AuditId audit) = 0;
};

}  // namespace rushes::queue
