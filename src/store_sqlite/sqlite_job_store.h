#pragma once
#include "jobs/job_store.h"
#include "jobs/transitions.h"
#include "store_sqlite/live_jobs.h"
#include "store_sqlite/writer.h"

namespace rushes::store_sqlite {

/// The jobs in SQLite; each method is one unit of the Writer.
class SqliteJobStore final : public jobs::JobStore {
 public:
  /// `live` is the writer thread's.
  SqliteJobStore(Writer& writer, LiveJobs& live, const Clock& clock) : writer_(writer), live_(live), clock_(clock) {}

  Task<Result<jobs::Submission>> submit(jobs::NewJob job, int max_unfinished) override;
  Task<Result<std::vector<jobs::Submission>>> submit_all(std::vector<jobs::NewJob> jobs, int max_unfinished) override;
  Task<Result<std::vector<jobs::Claimed>>> claim(jobs::ClaimRequest request) override;
  Task<Result<jobs::Lease>> renew(jobs::Lease lease, std::chrono::milliseconds lease_for) override;
  Task<Result<void>> report(jobs::Lease lease, jobs::ProgressReport report) override;
  Task<Result<void>> save_checkpoint(jobs::Lease lease, std::string name, std::string data) override;
  Task<Result<void>> complete(jobs::Lease lease, jobs::Completion completion) override;
  Task<Result<jobs::AfterFailure>> fail(jobs::Lease lease, jobs::Failure failure,
                                        std::chrono::milliseconds retry_in) override;
  Task<Result<void>> release(jobs::Lease lease) override;
  Task<Result<jobs::CancelOutcome>> cancel(UserId user, JobId job) override;
  Task<Result<void>> confirm_cancelled(jobs::Lease lease) override;
  Task<Result<jobs::Job>> restart(UserId user, JobId job, int max_unfinished) override;
  Task<Result<jobs::Redriven>> redrive(jobs::DeadFilter filter) override;
  Task<Result<void>> set_type(jobs::JobType type, jobs::TypeSettings settings) override;
  Task<Result<int>> take_over(bool all) override;
  Task<Result<int>> announce_positions(int limit) override;

 private:
  // In the units, on the writer's thread.
  jobs::Submission add(Transaction& transaction, const jobs::NewJob& job, Timestamp now);
  jobs::Claimed begin_attempt(Transaction& transaction, const jobs::FairOrder::Next& next,
                              std::chrono::milliseconds lease_for, Timestamp now);
  /// Writes what became of a job that ran, and how its attempt ended; it may wait again, from `retry_at` on.
  struct Ending {
    jobs::AttemptOutcome outcome;
    const jobs::Failure* failure = nullptr;
    std::optional<Timestamp> retry_at;
  };
  void settle(Transaction& transaction, LiveJobs::Running& running, jobs::Transition transition, Ending ending,
              Timestamp now);
  jobs::AfterFailure settle_failed(Transaction& transaction, LiveJobs::Running& running, const jobs::Failure& failure,
                                   std::chrono::milliseconds retry_in, Timestamp now);
  void settle_cancelled(Transaction& transaction, LiveJobs::Running& running, Timestamp now);
  void settle_handed_back(Transaction& transaction, LiveJobs::Running& running, Timestamp now);
  /// Has a job that ended wait again from its beginning.
  Result<void> restart_row(Transaction& transaction, Row& row, Timestamp now);
  /// Has it wait at the end of its user's line, and gives its position.
  int line_up(const UserId& user, const jobs::Waiting& job, Timestamp now);
  /// Tells those from position `from` on, `window` of them, and counts what remains to be told.
  struct Telling;
  void tell_positions(Transaction& transaction, Telling& telling, int from);

  /// What the last claim began where it has this key; else it is the last from now on.
  std::vector<jobs::Claimed> claimed_before(Transaction& transaction, const jobs::ClaimRequest& request, Timestamp now);

  /// Ends the attempt that `lease` holds by what `end` makes of it.
  using Settle = void (SqliteJobStore::*)(Transaction& transaction, LiveJobs::Running& running, Timestamp now);
  Task<Result<void>> with_lease(jobs::Lease lease, Settle end);

  Writer& writer_;
  LiveJobs& live_;
  const Clock& clock_;
  // The last claim; on the writer's thread.
  std::uint64_t claim_key_ = 0;
  std::vector<jobs::Lease> claim_leases_;
  int next_window_ = 0;  // on the writer's thread: where the next look at far positions begins
};

}  // namespace rushes::store_sqlite
