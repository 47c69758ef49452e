#pragma once
#include "async/task.h"
#include "jobs/job_queries.h"
#include "jobs/job_store.h"
#include "queue/disk_quota.h"
#include "queue/key_holds.h"
#include "queue/rate_limit.h"
#include "queue/scheduler.h"

namespace rushes::queue {

struct QueueLimits {
  int max_queued_per_user = 20;  // waiting and running together
  int submits_per_minute = 0;    // of one user; 0: any number
};

/// What users do with their jobs: the one way from the API and the sockets to the store and the
/// scheduler.
///
/// Threads:  thread-safe; resumes on the caller's executor.
/// Lifetime: store, queries and scheduler outlive it.
/// Errors:   those of `jobs::JobStore`, passed through.
class JobService {
 public:
  JobService(jobs::JobStore& store, jobs::JobQueries& queries, Scheduler& scheduler, const Clock& clock, Rng& rng,
             QueueLimits limits);

  /// What refuses new jobs of users who have none of their quota left; set before the first submit.
  void set_quota(DiskQuota& quota) { quota_ = &quota; }

  /// An id for a job about to be submitted: what is stored for it can be named by it.
  JobId new_job_id() { return JobId(new_uuid(clock_, rng_)); }

  /// Counts so many submits of the user, or tells how long to wait. Those that are not kept are not counted.
  Charge charge(const UserId& user, int jobs) { return Charge(rate_, user, jobs); }

  /// Nothing while another request with this idempotency key of the user is being received or stored; empty: no key.
  std::optional<KeyHolds::Hold> hold_key(const UserId& user, const std::string& key) { return keys_.take(user, key); }

  /// Errors: also those of `DiskQuota::check_left`; an upload has reserved its room by itself.
  Task<Result<jobs::Submission>> submit(jobs::NewJob job);
  /// All of them, or none.
  Task<Result<std::vector<jobs::Submission>>> submit_all(std::vector<jobs::NewJob> jobs);
  /// The job that a submit of this one would give again because of its keys, or whose key it reuses; adds none.
  /// An error where it would be added.
  Task<Result<jobs::Submission>> submitted_before(jobs::NewJob job);

  /// When it returns well, nothing of the job is left running and its end is written down.
  Task<Result<void>> cancel(UserId user, JobId job);

  /// A new job that does what a failed or cancelled one was to do.
  /// Errors: `not_found`; `conflict`: JOB_NOT_FAILED for any other state, UNIQUE_KEY_TAKEN.
  Task<Result<jobs::Job>> retry(UserId user, JobId job);

  /// The same job again. An unfinished one is cancelled first.
  Task<Result<jobs::Job>> restart(UserId user, JobId job);

  /// For operators: restarts failed jobs, whoever owns them, at most `filter.limit`. Gives how many.
  /// Errors: where one job is named and is not restarted: `not_found`; `conflict`: JOB_NOT_FAILED, UNIQUE_KEY_TAKEN.
  Task<Result<int>> redrive(jobs::DeadFilter filter);
  Task<Result<void>> set_type(jobs::JobType type, jobs::TypeSettings settings);

  jobs::JobQueries& queries() { return queries_; }
  const QueueLimits& limits() const noexcept { return limits_; }
  const RateLimit& rate() const noexcept { return rate_; }

 private:
  /// The reason, or nothing where it may have been redriven.
  Task<Result<void>> why_not_redriven(JobId job);

  jobs::JobStore& store_;
  jobs::JobQueries& queries_;
  Scheduler& scheduler_;
  const Clock& clock_;
  Rng& rng_;
  DiskQuota* quota_ = nullptr;
  const QueueLimits limits_;
  RateLimit rate_;
  KeyHolds keys_;
};

}  // namespace rushes::queue
