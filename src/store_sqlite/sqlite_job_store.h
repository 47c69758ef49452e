#pragma once
#include "jobs/job_store.h"
#include "jobs/transitions.h"
#include "store_sqlite/writer.h"

namespace rushes::store_sqlite {

/// The jobs in SQLite; each method is one unit of the Writer.
class SqliteJobStore final : public jobs::JobStore {
 public:
  /// `parallel_jobs`: how many jobs the server works on at once, for estimates of the wait.
  SqliteJobStore(Writer& writer, const Clock& clock, int parallel_jobs)
      : writer_(writer), clock_(clock), parallel_jobs_(parallel_jobs) {}

  Task<Result<jobs::Submission>> submit(jobs::NewJob job, int max_unfinished) override;
  Task<Result<std::vector<jobs::Claimed>>> claim(jobs::ClaimRequest request) override;
  Task<Result<jobs::Lease>> renew(jobs::Lease lease, std::chrono::milliseconds lease_for) override;
  Task<Result<void>> report(jobs::Lease lease, jobs::ProgressReport report) override;
  Task<Result<void>> complete(jobs::Lease lease, jobs::Completion completion) override;
  Task<Result<jobs::AfterFailure>> fail(jobs::Lease lease, jobs::Failure failure,
                                        std::chrono::milliseconds retry_in) override;
  Task<Result<void>> release(jobs::Lease lease) override;
  Task<Result<jobs::CancelOutcome>> cancel(UserId user, JobId job) override;
  Task<Result<void>> confirm_cancelled(jobs::Lease lease) override;
  Task<Result<jobs::Job>> restart(UserId user, JobId job, int max_unfinished) override;
  Task<Result<int>> take_over(bool all) override;
  Task<Result<int>> announce_positions(int limit) override;

 private:
  /// Runs `change` on the job that `lease` holds, and applies what it gives.
  Task<Result<void>> with_lease(jobs::Lease lease, std::function<jobs::Transition(jobs::Job, Timestamp)> change);

  Writer& writer_;
  const Clock& clock_;
  const int parallel_jobs_;
};

}  // namespace rushes::store_sqlite
