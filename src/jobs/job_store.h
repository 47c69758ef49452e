#pragma once
#include "async/task.h"
#include "jobs/fair_order.h"
#include "jobs/model.h"
#include "jobs/queue_report.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rushes::jobs {

/// What `submit` did.
struct Submission {
  Job job;
  bool existed = false;  // one of its keys was known: this is the job that has it
  /// Its idempotency key came with another request before: `job` is that request's, and nothing was added. Digests
  /// are compared where both requests have one.
  bool reused = false;
};

/// What a scheduler asks for.
struct ClaimRequest {
  std::chrono::milliseconds lease_for{30'000};
  Sharing sharing;
  int limit = 1;
  // Of who asks, and this claim: the same again gives what the first began, if it did and its leases last. For who was
  // answered `unavailable`. 0: none.
  std::uint64_t key = 0;
};

/// One attempt, begun.
struct Claimed {
  Job job;
  std::string body;                                // as in NewJob
  std::map<std::string, std::string> checkpoints;  // by name
  int failed = 0;                                  // attempts before it, since it was submitted or restarted
  Lease lease;
};

/// How far an attempt is.
struct ProgressReport {
  int percent = 0;      // below the stored one counts as the stored one: progress never falls
  std::string stage;    // the contract's words
  std::string message;  // one sentence for a person
  std::string title;    // once known; empty: as before
};

/// What an attempt made.
struct Completion {
  AuditId audit;                // the saved analysis' id
  std::string title;            // of the video, for the history
  json::object result;          // the contract's AuditResponse
  std::int64_t file_bytes = 0;  // of its thumbnails and captions
};

/// What became of a failed attempt.
enum class AfterFailure : std::uint8_t { will_retry, failed, cancelled };

/// What `cancel` did.
enum class CancelOutcome : std::uint8_t {
  cancelled,  // it was waiting; it has ended
  stopping,   // it was running; its worker must be stopped, then `confirm_cancelled`
};

/// Where jobs live between attempts. One implementation per database.
///
/// Every method is one atomic transaction, with the events that it causes: it happened, durably,
/// or it returned an Error and nothing changed; but see `unavailable`. Methods say what they mean for jobs, never how
/// to query. jobs/testing/job_store_contract.cc fixes the meaning.
///
/// Order: that of FairOrder, in which `claim` takes jobs and `queue_position` counts them.
///
/// Threads:  safe to call from any executor; resumes on the caller's.
/// Errors:   `unavailable` from any method; others are named at the method. After it a change may yet stand, where the
///           disk took it and would not say so in time: who would undo something has to ask what became of it.
class JobStore {
 public:
  virtual ~JobStore() = default;

  /// Adds a job, pending, and its `job-queued`. Where `idempotency_key` is known for this user, or else an unfinished
  /// job of this user has `unique_key`, adds nothing and gives that job; keys live as long as their jobs.
  /// Errors: `exhausted` (QUEUE_LIMIT, naming the limit) where the user has `max_unfinished` already.
  virtual Task<Result<Submission>> submit(NewJob job, int max_unfinished) = 0;

  /// All of them, or none where one is refused or `reused`: as by `submit`, in their order. One that is `reused` with
  /// an earlier one of `jobs` has no job.
  /// Errors: `too_large` (BULK_TOO_LARGE) where they alone are more than `max_unfinished`, whatever the user has.
  virtual Task<Result<std::vector<Submission>>> submit_all(std::vector<NewJob> jobs, int max_unfinished) = 0;

  /// Begins an attempt of up to `limit` waiting jobs, with `job-started`. Empty: none may start now.
  virtual Task<Result<std::vector<Claimed>>> claim(ClaimRequest request) = 0;

  /// Moves the lease's end to now + `lease_for`. Errors: `lease_lost`; `cancelled` where the job's
  /// owner wants it stopped (the lease is renewed all the same, until `confirm_cancelled`).
  virtual Task<Result<Lease>> renew(Lease lease, std::chrono::milliseconds lease_for) = 0;

  /// Records progress, with `job-progress`. Errors: `lease_lost`.
  virtual Task<Result<void>> report(Lease lease, ProgressReport report) = 0;

  /// Keeps what a stage of this attempt made, under a name, in place of what was kept under it: a later attempt, or one
  /// at a retry of the job, is given it. Gone when the job completes. Errors: `lease_lost`.
  virtual Task<Result<void>> save_checkpoint(Lease lease, std::string name, std::string data) = 0;

  /// Ends the job as completed and saves the analysis, with `job-completed`. The same again changes nothing, and
  /// succeeds while that analysis is there: who was answered `unavailable` may ask again and learn how it went.
  /// Errors: `lease_lost`; `cancelled` where its owner wants it stopped: it ended as cancelled instead.
  virtual Task<Result<void>> complete(Lease lease, Completion completion) = 0;

  /// Ends the attempt. A failure of a class with attempts left (see retry_policy.h) makes the job wait again, no
  /// earlier than `retry_in` from now and without an event; else `job-failed`. Errors: `lease_lost`.
  virtual Task<Result<AfterFailure>> fail(Lease lease, Failure failure, std::chrono::milliseconds retry_in) = 0;

  /// Hands the job back, waiting, at once and uncounted: a clean stop of the server is no attempt.
  /// Where its owner wants it stopped, it ends as cancelled. Errors: `lease_lost`.
  virtual Task<Result<void>> release(Lease lease) = 0;

  /// Errors: `not_found` also for another user's job; `conflict` (JOB_ENDED) where it has ended.
  virtual Task<Result<CancelOutcome>> cancel(UserId user, JobId job) = 0;

  /// Nothing of the job is left running: `job-cancelled`. Errors: `lease_lost`.
  virtual Task<Result<void>> confirm_cancelled(Lease lease) = 0;

  /// The same job again from its beginning, with `job-queued` (`metadata.restarted`) and a fresh
  /// series of attempts. A completed one keeps its saved analysis until the new one is saved.
  /// Errors: `not_found`; `conflict`: JOB_NOT_ENDED while it waits or runs, UNIQUE_KEY_TAKEN (naming the other) where
  /// another unfinished job has its unique key; `exhausted` as for `submit`.
  virtual Task<Result<Job>> restart(UserId user, JobId job, int max_unfinished) = 0;

  /// Restarts failed jobs, oldest first, whoever owns them and however many more that user has: of the next
  /// `filter.limit` those whose unique key no unfinished job has.
  virtual Task<Result<Redriven>> redrive(DeadFilter filter) = 0;

  /// From now on, for all that claim; what runs goes on.
  virtual Task<Result<void>> set_type(JobType type, TypeSettings settings) = 0;

  /// Ends every attempt whose lease is over: as a retryable failure WORKER_LOST, or as cancelled where
  /// that was asked for. With `all`, every running attempt: at the start of a server that knows that no other uses this
  /// database, and that theirs crashed, since a clean stop releases them. Gives how many jobs it touched.
  virtual Task<Result<int>> take_over(bool all) = 0;

  /// Sends `job-queued` again for waiting jobs whose position changed since they were last told, at
  /// most `limit` of them, none told within the last second. Gives how many remain to be told.
  virtual Task<Result<int>> announce_positions(int limit) = 0;
};

}  // namespace rushes::jobs
