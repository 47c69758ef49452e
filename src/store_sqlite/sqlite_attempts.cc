// The part of SqliteJobStore that workers use: from a claim to an attempt's end.
#include "store_sqlite/analysis_rows.h"
#include "store_sqlite/attempt_rows.h"
#include "store_sqlite/event_rows.h"
#include "store_sqlite/sqlite_job_store.h"

namespace rushes::store_sqlite {
namespace {

Error lease_lost(const jobs::Lease& lease) {
  return {Errc::lease_lost, "job " + lease.job.value() + ": lease " + std::to_string(lease.token) + " is not held"};
}

Error stop_wanted(const jobs::Lease& lease) {
  return {Errc::cancelled, "job " + lease.job.value() + ": its owner wants it stopped"};
}

/// Whether the attempt ended as completed with this very result, though its worker was not told so.
bool is_saved(sqlite::Connection& database, const Lists& lists, const jobs::Lease& lease, const AuditId& analysis) {
  const auto number = lists.analysis_ids.number_of(database, analysis.value());
  auto& row = database.statement("SELECT 1 FROM analyses WHERE no = ? AND job_id = ?");
  const bool saved = row.bind(number, lease.job.value()).next();
  row.reset();
  return saved;
}

jobs::FairOrder::Types startable(LiveJobs& live) {
  jobs::FairOrder::Types types;
  for (std::size_t type = 0; type < types.size(); ++type) {
    const auto& settings = live.types()[type];
    const auto running = live.order().running(static_cast<jobs::JobType>(type));
    types.set(type, !settings.paused && (!settings.max_running || running < *settings.max_running));
  }
  return types;
}

}  // namespace

jobs::Claimed SqliteJobStore::begin_attempt(Transaction& transaction, const jobs::FairOrder::Next& next,
                                            std::chrono::milliseconds lease_for, Timestamp now) {
  auto& database = transaction.database_with(next.job.number);
  jobs::Claimed claimed;
  auto row = row_of(database, next.job.number, &claimed.body);
  live_.order().start(next.user, next.job.priority, next.job.place);
  auto transition = jobs::started(std::move(row.job), now);
  row.job = std::move(transition.job);
  row.run_at = 0;
  row.token = live_.new_token(database);
  row.expires_at = now + lease_for;
  transaction.set_state(row);
  log_event(transaction, live_, row.job, *transition.event, now);
  claimed.job = row.job;
  claimed.lease = {row.job.id, row.token, row.expires_at};
  // Nothing was kept before the first attempt, but of the job that this one is a retry of.
  const bool is_fresh = row.job.attempt == 1 && row.series == 0 && !row.job.retry_of;
  if (!is_fresh) {
    claimed.checkpoints = checkpoints_of(database, row.number);
    claimed.failed = count_failed(database, row);
  }
  live_.begin(std::move(row)).has_checkpoints = !claimed.checkpoints.empty();
  return claimed;
}

std::vector<jobs::Claimed> SqliteJobStore::claimed_before(Transaction& transaction, const jobs::ClaimRequest& request,
                                                          Timestamp now) {
  std::vector<jobs::Claimed> claimed;
  if (request.key == 0 || request.key != claim_key_) {
    claim_key_ = request.key;
    claim_leases_.clear();
    return claimed;
  }
  auto& database = transaction.database();
  for (const auto& lease : claim_leases_) {
    auto* running = live_.find(lease);
    if (running == nullptr) continue;  // taken back with its transaction, or taken over
    auto& row = running->row;
    if (row.job.cancel_requested) {  // nobody worked on it
      settle_cancelled(transaction, *running, now);
      continue;
    }
    row.expires_at = now + request.lease_for;
    jobs::Claimed again;
    (void)row_of(database, row.number, &again.body);
    again.job = row.job;
    again.lease = {row.job.id, row.token, row.expires_at};
    again.checkpoints = checkpoints_of(database, row.number);
    again.failed = count_failed(database, row);
    claimed.push_back(std::move(again));
  }
  if (claimed.empty()) claim_leases_.clear();
  return claimed;
}

Task<Result<std::vector<jobs::Claimed>>> SqliteJobStore::claim(jobs::ClaimRequest request) {
  std::function work = [this, request](Transaction& transaction) -> Result<std::vector<jobs::Claimed>> {
    const auto now = clock_.now();
    live_.promote(now);
    auto claimed = claimed_before(transaction, request, now);
    if (!claimed.empty()) return claimed;
    auto& order = live_.order();
    order.share(request.sharing, now);
    while (static_cast<int>(claimed.size()) < request.limit) {
      const auto next = order.next(startable(live_));
      if (!next) break;
      claimed.push_back(begin_attempt(transaction, *next, request.lease_for, now));
      claim_leases_.push_back(claimed.back().lease);
    }
    return claimed;
  };
  return writer_.write(std::move(work));
}

Task<Result<jobs::Lease>> SqliteJobStore::renew(jobs::Lease lease, std::chrono::milliseconds lease_for) {
  // Not written down: a server that starts anew takes over everything, whatever the leases say.
  std::function work = [this, lease = std::move(lease), lease_for](Transaction&) -> Result<jobs::Lease> {
    auto* running = live_.find(lease);
    if (running == nullptr) return lease_lost(lease);
    running->row.expires_at = clock_.now() + lease_for;
    if (running->row.job.cancel_requested) return stop_wanted(lease);
    return jobs::Lease{lease.job, lease.token, running->row.expires_at};
  };
  return writer_.pass(std::move(work));
}

void SqliteJobStore::settle(Transaction& transaction, LiveJobs::Running& running, jobs::Transition transition,
                            Ending ending, Timestamp now) {
  auto& database = transaction.without_staged();
  live_.file(transaction, running);
  if (ending.outcome != jobs::AttemptOutcome::completed) {
    insert_attempt(database, running.row, ending.outcome, ending.failure, now);
  } else if (running.has_checkpoints) {
    drop_checkpoints(database, running.row.number);
  }
  auto row = running.row;
  row.job = std::move(transition.job);
  if (ending.retry_at) row.run_at = to_millis(*ending.retry_at);
  if (transition.event) row.last_seq = log_event(transaction, live_, row.job, *transition.event, now);
  if (is_end(row.job.state)) {
    write_end(transaction, row);
    if (row.job.state == jobs::JobState::failed) live_.count_dead(1);
    live_.listed().ended(transaction, row.number);
  } else {
    transaction.set_state(row);
  }
  live_.end(row.job.id, now);
  if (row.job.state == jobs::JobState::pending) live_.wait(row.job.user, waiting(row, now), row.run_at, now);
}

jobs::AfterFailure SqliteJobStore::settle_failed(Transaction& transaction, LiveJobs::Running& running,
                                                 const jobs::Failure& failure, std::chrono::milliseconds retry_in,
                                                 Timestamp now) {
  const auto alike = count_failed(transaction.database(), running.row, jobs::class_of(failure));
  auto failing = jobs::attempt_failed(running.row.job, failure, alike, now);
  const bool cancelled = failing.after == jobs::AfterFailure::cancelled;
  const auto outcome = cancelled ? jobs::AttemptOutcome::cancelled : jobs::AttemptOutcome::failed;
  settle(transaction, running, std::move(failing.transition), {outcome, &failure, now + retry_in}, now);
  return failing.after;
}

void SqliteJobStore::settle_cancelled(Transaction& transaction, LiveJobs::Running& running, Timestamp now) {
  settle(transaction, running, jobs::cancelled(running.row.job, now), {jobs::AttemptOutcome::cancelled, nullptr, {}},
         now);
}

void SqliteJobStore::settle_handed_back(Transaction& transaction, LiveJobs::Running& running, Timestamp now) {
  if (running.row.job.cancel_requested) return settle_cancelled(transaction, running, now);
  settle(transaction, running, jobs::handed_back(running.row.job), {jobs::AttemptOutcome::handed_back, nullptr, {}},
         now);
}

Task<Result<void>> SqliteJobStore::with_lease(jobs::Lease lease, Settle end) {
  std::function work = [this, lease = std::move(lease), end](Transaction& transaction) -> Result<void> {
    auto* running = live_.find(lease);
    if (running == nullptr) return lease_lost(lease);
    (this->*end)(transaction, *running, clock_.now());
    return {};
  };
  return writer_.write(std::move(work));
}

Task<Result<void>> SqliteJobStore::report(jobs::Lease lease, jobs::ProgressReport report) {
  std::function work = [this, lease = std::move(lease),
                        report = std::move(report)](Transaction& transaction) -> Result<void> {
    auto* running = live_.find(lease);
    if (running == nullptr) return lease_lost(lease);
    if (live_.is_full()) return Error(Errc::unavailable, "the disk has taken no progress for long");
    auto transition = jobs::progressed(std::move(running->row.job), report);
    running->row.job = std::move(transition.job);
    tell_event(transaction, live_, *running, *transition.event, clock_.now());
    return {};
  };
  return writer_.pass(std::move(work));
}

Task<Result<void>> SqliteJobStore::save_checkpoint(jobs::Lease lease, std::string name, std::string data) {
  std::function work = [this, lease = std::move(lease), name = std::move(name),
                        data = std::move(data)](Transaction& transaction) -> Result<void> {
    auto* running = live_.find(lease);
    if (running == nullptr) return lease_lost(lease);
    rushes::store_sqlite::save_checkpoint(transaction.database(), running->row.number, name, data);
    running->has_checkpoints = true;
    return {};
  };
  return writer_.write(std::move(work));
}

Task<Result<void>> SqliteJobStore::complete(jobs::Lease lease, jobs::Completion completion) {
  std::function work = [this, lease = std::move(lease),
                        completion = std::move(completion)](Transaction& transaction) -> Result<void> {
    auto* running = live_.find(lease);
    if (running == nullptr) {
      if (is_saved(transaction.database(), live_.lists(), lease, completion.audit)) return {};
      return lease_lost(lease);
    }
    const auto& job = running->row.job;
    const auto now = clock_.now();
    if (job.cancel_requested) {
      settle_cancelled(transaction, *running, now);
      transaction.keep_despite_error();
      return stop_wanted(lease);
    }
    auto transition = jobs::completed(job, completion, now);
    save_analysis(transaction.without_staged(), live_, transition.job, job.audit, completion, now);
    live_.measured(transition.job.type, now - transition.job.processed_at.value_or(now));
    settle(transaction, *running, std::move(transition), {jobs::AttemptOutcome::completed, nullptr, {}}, now);
    return {};
  };
  return writer_.write(std::move(work));
}

Task<Result<jobs::AfterFailure>> SqliteJobStore::fail(jobs::Lease lease, jobs::Failure failure,
                                                      std::chrono::milliseconds retry_in) {
  std::function work = [this, lease = std::move(lease), failure = std::move(failure),
                        retry_in](Transaction& transaction) -> Result<jobs::AfterFailure> {
    auto* running = live_.find(lease);
    if (running == nullptr) return lease_lost(lease);
    return settle_failed(transaction, *running, failure, retry_in, clock_.now());
  };
  return writer_.write(std::move(work));
}

Task<Result<void>> SqliteJobStore::release(jobs::Lease lease) {
  return with_lease(std::move(lease), &SqliteJobStore::settle_handed_back);
}

Task<Result<void>> SqliteJobStore::confirm_cancelled(jobs::Lease lease) {
  return with_lease(std::move(lease), &SqliteJobStore::settle_cancelled);
}

Task<Result<int>> SqliteJobStore::take_over(bool all) {
  std::function work = [this, all](Transaction& transaction) -> Result<int> {
    const auto now = clock_.now();
    const auto lost = live_.lost(all, now);
    // A server that stops cleanly leaves none: these were running when it crashed.
    const jobs::Failure failure{
        "WORKER_LOST", all ? "The server stopped in the middle of the work." : "The worker was lost.", true, {}};
    for (const auto& id : lost) {
      auto& running = *live_.find(id);
      // A token of its own for nobody: whoever held the lease before writes no more.
      running.row.token = live_.new_token(transaction.database());
      const auto failed = all ? count_failed(transaction.database(), running.row) : 0;
      settle_failed(transaction, running, failure, jobs::pause_after_loss(failed), now);
    }
    return static_cast<int>(lost.size());
  };
  return writer_.write(std::move(work));
}

}  // namespace rushes::store_sqlite
