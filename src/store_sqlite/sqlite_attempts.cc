// The part of SqliteJobStore that workers use: from a claim to an attempt's end.
#include "store_sqlite/event_rows.h"
#include "store_sqlite/job_rows.h"
#include "store_sqlite/sqlite_job_store.h"

namespace rushes::store_sqlite {
namespace {

Error lease_lost(const jobs::Lease& lease) {
  return {Errc::lease_lost, "job " + lease.job.value() + ": lease " + std::to_string(lease.token) + " is not held"};
}

Error stop_wanted(const jobs::Lease& lease) {
  return {Errc::cancelled, "job " + lease.job.value() + ": its owner wants it stopped"};
}

std::string body_of(sqlite::Connection& database, const JobId& job) {
  auto& row = database.statement("SELECT body FROM job_bodies WHERE job_id = ?").bind(job.value());
  if (!row.next()) return {};
  auto body = row.text(0);
  row.reset();
  return body;
}

void save_analysis(sqlite::Connection& database, const jobs::Job& job, const jobs::Completion& completion,
                   Timestamp now) {
  database.run("DELETE FROM analyses WHERE job_id = ?", job.id.value());
  database.run(
      "INSERT INTO analyses (id, user_id, job_id, type, title, created_at, result) VALUES (?, ?, ?, ?, ?, ?, ?)",
      completion.audit.value(), job.user.value(), job.id.value(), static_cast<int>(job.type), job.title, to_millis(now),
      json::serialize(completion.result));
}

jobs::FairOrder::Types startable(const jobs::FairOrder& order, const jobs::ClaimRequest& request) {
  jobs::FairOrder::Types types;
  for (std::size_t type = 0; type < types.size(); ++type) {
    types.set(type, order.running(static_cast<jobs::JobType>(type)) < request.max_running_per_type[type]);
  }
  return types;
}

}  // namespace

jobs::Claimed SqliteJobStore::begin_attempt(Transaction& transaction, const jobs::FairOrder::Next& next,
                                            std::chrono::milliseconds lease_for, Timestamp now) {
  auto& database = transaction.database();
  auto row = row_of(database, next.job.number);
  live_.order().start(next.user, next.job.priority, next.job.place);
  auto transition = jobs::started(std::move(row.job), now);
  row.job = std::move(transition.job);
  row.run_at = 0;
  row.token = live_.new_token(database);
  row.expires_at = now + lease_for;
  update_row(database, row);
  log_event(transaction, live_, row.job, *transition.event, now);
  jobs::Claimed claimed{row.job, body_of(database, row.job.id), {row.job.id, row.token, row.expires_at}};
  live_.begin(std::move(row));
  return claimed;
}

Task<Result<std::vector<jobs::Claimed>>> SqliteJobStore::claim(jobs::ClaimRequest request) {
  std::function work = [this, request](Transaction& transaction) -> Result<std::vector<jobs::Claimed>> {
    const auto now = clock_.now();
    live_.promote(now);
    auto& order = live_.order();
    order.limit_running(request.max_running_per_user);
    std::vector<jobs::Claimed> claimed;
    while (static_cast<int>(claimed.size()) < request.limit) {
      const auto next = order.next(startable(order, request));
      if (!next) break;
      claimed.push_back(begin_attempt(transaction, *next, request.lease_for, now));
    }
    return claimed;
  };
  co_return co_await writer_.write(std::move(work));
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
  co_return co_await writer_.pass(std::move(work));
}

void SqliteJobStore::settle(Transaction& transaction, LiveJobs::Running& running, jobs::Transition transition,
                            Timestamp now, std::optional<Timestamp> retry_at) {
  live_.file(transaction.database(), running);
  auto row = running.row;
  row.job = std::move(transition.job);
  if (retry_at) row.run_at = to_millis(*retry_at);
  update_row(transaction.database(), row);
  if (transition.event) log_event(transaction, live_, row.job, *transition.event, now);
  live_.end(row.job.id);
  if (row.job.state == jobs::JobState::pending) live_.wait(row.job.user, waiting(row, now), row.run_at, now);
}

Task<Result<void>> SqliteJobStore::with_lease(jobs::Lease lease,
                                              std::function<jobs::Transition(jobs::Job, Timestamp)> change) {
  std::function work = [this, lease = std::move(lease),
                        change = std::move(change)](Transaction& transaction) -> Result<void> {
    auto* running = live_.find(lease);
    if (running == nullptr) return lease_lost(lease);
    const auto now = clock_.now();
    settle(transaction, *running, change(running->row.job, now), now);
    return {};
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<void>> SqliteJobStore::report(jobs::Lease lease, jobs::ProgressReport report) {
  std::function work = [this, lease = std::move(lease),
                        report = std::move(report)](Transaction& transaction) -> Result<void> {
    auto* running = live_.find(lease);
    if (running == nullptr) return lease_lost(lease);
    auto transition = jobs::progressed(std::move(running->row.job), report);
    running->row.job = std::move(transition.job);
    tell_event(transaction, live_, *running, *transition.event, clock_.now());
    return {};
  };
  co_return co_await writer_.pass(std::move(work));
}

Task<Result<void>> SqliteJobStore::complete(jobs::Lease lease, jobs::Completion completion) {
  std::function work = [this, lease = std::move(lease),
                        completion = std::move(completion)](Transaction& transaction) -> Result<void> {
    auto* running = live_.find(lease);
    if (running == nullptr) return lease_lost(lease);
    const auto& job = running->row.job;
    const auto now = clock_.now();
    if (job.cancel_requested) {
      settle(transaction, *running, jobs::cancelled(job, now), now);
      transaction.keep_despite_error();
      return stop_wanted(lease);
    }
    auto transition = jobs::completed(job, completion, now);
    save_analysis(transaction.database(), transition.job, completion, now);
    live_.measured(now - transition.job.processed_at.value_or(now));
    settle(transaction, *running, std::move(transition), now);
    return {};
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<jobs::AfterFailure>> SqliteJobStore::fail(jobs::Lease lease, jobs::Failure failure,
                                                      std::chrono::milliseconds retry_in) {
  std::function work = [this, lease = std::move(lease), failure = std::move(failure),
                        retry_in](Transaction& transaction) -> Result<jobs::AfterFailure> {
    auto* running = live_.find(lease);
    if (running == nullptr) return lease_lost(lease);
    const auto now = clock_.now();
    auto failing = jobs::attempt_failed(running->row.job, failure, now);
    settle(transaction, *running, std::move(failing.transition), now, now + retry_in);
    return failing.after;
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<void>> SqliteJobStore::release(jobs::Lease lease) {
  std::function change = [](jobs::Job job, Timestamp now) {
    return job.cancel_requested ? jobs::cancelled(std::move(job), now) : jobs::handed_back(std::move(job));
  };
  co_return co_await with_lease(std::move(lease), std::move(change));
}

Task<Result<void>> SqliteJobStore::confirm_cancelled(jobs::Lease lease) {
  std::function change = [](jobs::Job job, Timestamp now) { return jobs::cancelled(std::move(job), now); };
  co_return co_await with_lease(std::move(lease), std::move(change));
}

Task<Result<int>> SqliteJobStore::take_over(bool all) {
  std::function work = [this, all](Transaction& transaction) -> Result<int> {
    const auto now = clock_.now();
    const auto lost = live_.lost(all, now);
    const jobs::Failure failure{"WORKER_LOST", "The worker was lost.", true};
    for (const auto& id : lost) {
      auto& running = *live_.find(id);
      // A token of its own for nobody: whoever held the lease before writes no more.
      running.row.token = live_.new_token(transaction.database());
      const auto& job = running.row.job;
      auto transition = job.cancel_requested ? jobs::cancelled(job, now)
                        : all                ? jobs::handed_back(job)
                                             : jobs::attempt_failed(job, failure, now).transition;
      settle(transaction, running, std::move(transition), now);
    }
    return static_cast<int>(lost.size());
  };
  co_return co_await writer_.write(std::move(work));
}

}  // namespace rushes::store_sqlite
