#include "store_sqlite/sqlite_job_store.h"

#include "store_sqlite/job_rows.h"

namespace rushes::store_sqlite {
namespace {

Error lease_lost(const jobs::Lease& lease) {
  return {Errc::lease_lost, "job " + lease.job.value() + ": lease " + std::to_string(lease.token) + " is not held"};
}

Error stop_wanted(const jobs::Lease& lease) {
  return {Errc::cancelled, "job " + lease.job.value() + ": its owner wants it stopped"};
}

/// Whether a job of the user may start now, as far as its own backoff goes.
bool has_waiting(sqlite::Connection& database, const UserId& user, Timestamp now) {
  auto& row = database.statement("SELECT 1 FROM jobs WHERE user_id = ? AND state = 0 AND run_at <= ? LIMIT 1")
                  .bind(user.value(), to_millis(now));
  const bool waiting = row.next();
  row.reset();
  return waiting;
}

std::int64_t count_unfinished(sqlite::Connection& database, const UserId& user) {
  // Two partial indexes answer this; one condition on both states would read all of the user's jobs.
  auto& row = database
                  .statement(
                      "SELECT (SELECT count(*) FROM jobs WHERE user_id = ?1 AND state = 0)"
                      " + (SELECT count(*) FROM jobs WHERE user_id = ?1 AND state = 1)")
                  .bind(user.value());
  row.next();
  const auto count = row.integer(0);
  row.reset();
  return count;
}

std::optional<jobs::Job> find_keyed(sqlite::Connection& database, const jobs::NewJob& job) {
  if (job.idempotency_key.empty()) return std::nullopt;
  auto& row = database.statement("SELECT " RUSHES_JOB_COLUMNS " FROM jobs WHERE user_id = ? AND idempotency_key = ?")
                  .bind(job.user.value(), job.idempotency_key);
  if (!row.next()) return std::nullopt;
  auto found = read_job(row);
  row.reset();
  return found;
}

std::optional<jobs::Job> find_owned(sqlite::Connection& database, const UserId& user, const JobId& id) {
  auto job = find_job(database, id);
  if (!job || job->user != user) return std::nullopt;
  return job;
}

std::vector<JobId> claimable(sqlite::Connection& database, const jobs::ClaimRequest& request, Timestamp now) {
  auto& rows = database
                   .statement(
                       "WITH running AS (SELECT user_id, count(*) AS n FROM jobs WHERE state = 1 GROUP BY user_id),"
                       " waiting AS (SELECT id, user_id, place,"
                       "   row_number() OVER (PARTITION BY user_id ORDER BY place) AS turn"
                       "   FROM jobs WHERE state = 0 AND run_at <= ?1)"
                       " SELECT waiting.id FROM waiting JOIN turns ON turns.user_id = waiting.user_id"
                       " LEFT JOIN running ON running.user_id = waiting.user_id"
                       " WHERE turn + coalesce(n, 0) <= ?2 ORDER BY turn + coalesce(n, 0), since LIMIT ?3")
                   .bind(to_millis(now), request.max_running_per_user, request.limit);
  std::vector<JobId> ids;
  while (rows.next()) ids.emplace_back(rows.text(0));
  return ids;
}

std::string body_of(sqlite::Connection& database, const JobId& job) {
  auto& row = database.statement("SELECT body FROM job_bodies WHERE job_id = ?").bind(job.value());
  if (!row.next()) return {};
  auto body = row.text(0);
  row.reset();
  return body;
}

jobs::Claimed begin_attempt(Transaction& transaction, const JobId& id, std::chrono::milliseconds lease_for,
                            Timestamp now) {
  auto& database = transaction.database();
  jobs::Claimed claimed;
  auto transition = jobs::started(find_job(database, id).value(), now);
  apply(transaction, transition, now);
  begin_turn(database, transition.job.user);
  claimed.lease = {id, next_number(database, "lease"), now + lease_for};
  database.run("UPDATE jobs SET lease_token = ?, lease_expires_at = ?, run_at = 0 WHERE id = ?", claimed.lease.token,
               to_millis(claimed.lease.expires_at), id.value());
  claimed.job = std::move(transition.job);
  claimed.body = body_of(database, id);
  return claimed;
}

void save_analysis(sqlite::Connection& database, const jobs::Job& job, const jobs::Completion& completion,
                   Timestamp now) {
  database.run("DELETE FROM analyses WHERE job_id = ?", job.id.value());
  database.run(
      "INSERT INTO analyses (id, user_id, job_id, type, title, created_at, result) VALUES (?, ?, ?, ?, ?, ?, ?)",
      completion.audit.value(), job.user.value(), job.id.value(), static_cast<int>(job.type), job.title, to_millis(now),
      json::serialize(completion.result));
}

}  // namespace

Task<Result<jobs::Submission>> SqliteJobStore::submit(jobs::NewJob job, int max_unfinished) {
  std::function work = [this, job = std::move(job),
                        max_unfinished](Transaction& transaction) -> Result<jobs::Submission> {
    auto& database = transaction.database();
    if (auto known = find_keyed(database, job)) return jobs::Submission{std::move(*known), true};
    if (count_unfinished(database, job.user) >= max_unfinished) return jobs::queue_limit(max_unfinished);
    const auto now = clock_.now();
    if (!has_waiting(database, job.user, now)) begin_turn(database, job.user);
    // Inserted first, so that the one query for positions sees it; then told where it stands.
    insert_job(database, jobs::created(job, 1, std::nullopt, now).job, job.idempotency_key);
    if (!job.body.empty()) database.run("INSERT INTO job_bodies VALUES (?, ?)", job.id.value(), job.body);
    const auto position = position_of_newest(database, job.user, now);
    auto transition = jobs::created(job, position, estimate_wait(database, position, parallel_jobs_), now);
    apply(transaction, transition, now);
    database.run("UPDATE jobs SET position_told_at = ? WHERE id = ?", to_millis(now), job.id.value());
    return jobs::Submission{std::move(transition.job), false};
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<std::vector<jobs::Claimed>>> SqliteJobStore::claim(jobs::ClaimRequest request) {
  std::function work = [this, request](Transaction& transaction) -> Result<std::vector<jobs::Claimed>> {
    const auto now = clock_.now();
    std::vector<jobs::Claimed> claimed;
    for (const auto& id : claimable(transaction.database(), request, now)) {
      claimed.push_back(begin_attempt(transaction, id, request.lease_for, now));
    }
    return claimed;
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<jobs::Lease>> SqliteJobStore::renew(jobs::Lease lease, std::chrono::milliseconds lease_for) {
  std::function work = [this, lease, lease_for](Transaction& transaction) -> Result<jobs::Lease> {
    const auto job = find_leased(transaction.database(), lease);
    if (!job) return lease_lost(lease);
    auto renewed = lease;
    renewed.expires_at = clock_.now() + lease_for;
    transaction.database().run("UPDATE jobs SET lease_expires_at = ? WHERE id = ?", to_millis(renewed.expires_at),
                               lease.job.value());
    if (!job->cancel_requested) return renewed;
    transaction.keep_despite_error();
    return stop_wanted(lease);
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<void>> SqliteJobStore::with_lease(jobs::Lease lease,
                                              std::function<jobs::Transition(jobs::Job, Timestamp)> change) {
  std::function work = [this, lease, change = std::move(change)](Transaction& transaction) -> Result<void> {
    auto job = find_leased(transaction.database(), lease);
    if (!job) return lease_lost(lease);
    const auto now = clock_.now();
    apply(transaction, change(std::move(*job), now), now);
    return {};
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<void>> SqliteJobStore::report(jobs::Lease lease, jobs::ProgressReport report) {
  std::function change = [report = std::move(report)](jobs::Job job, Timestamp now) {
    (void)now;
    return jobs::progressed(std::move(job), report);
  };
  co_return co_await with_lease(std::move(lease), std::move(change));
}

Task<Result<void>> SqliteJobStore::complete(jobs::Lease lease, jobs::Completion completion) {
  std::function work = [this, lease, completion = std::move(completion)](Transaction& transaction) -> Result<void> {
    auto job = find_leased(transaction.database(), lease);
    if (!job) return lease_lost(lease);
    const auto now = clock_.now();
    if (job->cancel_requested) {
      apply(transaction, jobs::cancelled(std::move(*job), now), now);
      transaction.keep_despite_error();
      return stop_wanted(lease);
    }
    const auto transition = jobs::completed(std::move(*job), completion, now);
    save_analysis(transaction.database(), transition.job, completion, now);
    apply(transaction, transition, now);
    return {};
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<jobs::AfterFailure>> SqliteJobStore::fail(jobs::Lease lease, jobs::Failure failure,
                                                      std::chrono::milliseconds retry_in) {
  std::function work = [this, lease, failure = std::move(failure),
                        retry_in](Transaction& transaction) -> Result<jobs::AfterFailure> {
    auto job = find_leased(transaction.database(), lease);
    if (!job) return lease_lost(lease);
    const auto now = clock_.now();
    const auto failing = jobs::attempt_failed(std::move(*job), failure, now);
    apply(transaction, failing.transition, now);
    if (failing.after == jobs::AfterFailure::will_retry) {
      transaction.database().run("UPDATE jobs SET run_at = ? WHERE id = ?", to_millis(now + retry_in),
                                 lease.job.value());
    }
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

Task<Result<jobs::CancelOutcome>> SqliteJobStore::cancel(UserId user, JobId id) {
  std::function work = [this, user = std::move(user),
                        id = std::move(id)](Transaction& transaction) -> Result<jobs::CancelOutcome> {
    auto job = find_owned(transaction.database(), user, id);
    if (!job) return jobs::job_not_found();
    if (is_end(job->state)) return jobs::job_ended(job->state);
    const auto now = clock_.now();
    if (job->state == jobs::JobState::pending) {
      apply(transaction, jobs::cancelled(std::move(*job), now), now);
      return jobs::CancelOutcome::cancelled;
    }
    transaction.database().run("UPDATE jobs SET cancel_requested = 1 WHERE id = ?", id.value());
    return jobs::CancelOutcome::stopping;
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<jobs::Job>> SqliteJobStore::restart(UserId user, JobId id, int max_unfinished) {
  std::function work = [this, user = std::move(user), id = std::move(id),
                        max_unfinished](Transaction& transaction) -> Result<jobs::Job> {
    auto& database = transaction.database();
    const auto job = find_owned(database, user, id);
    if (!job) return jobs::job_not_found();
    if (!is_end(job->state)) return jobs::job_not_ended();
    if (count_unfinished(database, user) >= max_unfinished) return jobs::queue_limit(max_unfinished);
    const auto now = clock_.now();
    if (!has_waiting(database, user, now)) begin_turn(database, user);
    database.run("UPDATE jobs SET state = 0, place = ?, run_at = 0 WHERE id = ?", next_number(database, "place"),
                 id.value());
    const auto position = position_of_newest(database, user, now);
    auto transition = jobs::restarted(*job, position, estimate_wait(database, position, parallel_jobs_));
    if (!transition) return transition.error();
    apply(transaction, *transition, now);
    database.run("UPDATE jobs SET position_told_at = ? WHERE id = ?", to_millis(now), id.value());
    return std::move(transition->job);
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<int>> SqliteJobStore::take_over(bool all) {
  std::function work = [this, all](Transaction& transaction) -> Result<int> {
    auto& database = transaction.database();
    const auto now = clock_.now();
    auto& rows =
        database.statement("SELECT " RUSHES_JOB_COLUMNS " FROM jobs WHERE state = 1 AND (?1 OR lease_expires_at <= ?2)")
            .bind(all, to_millis(now));
    std::vector<jobs::Job> lost;
    while (rows.next()) lost.push_back(read_job(rows));
    const jobs::Failure failure{"WORKER_LOST", "The worker was lost.", true};
    for (auto& job : lost) {
      const auto id = job.id;
      if (job.cancel_requested) {
        apply(transaction, jobs::cancelled(std::move(job), now), now);
      } else if (all) {
        apply(transaction, jobs::handed_back(std::move(job)), now);
      } else {
        apply(transaction, jobs::attempt_failed(std::move(job), failure, now).transition, now);
      }
      // A token of its own for nobody: whoever held the lease before writes no more.
      database.run("UPDATE jobs SET lease_token = ? WHERE id = ?", next_number(database, "lease"), id.value());
    }
    return static_cast<int>(lost.size());
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<int>> SqliteJobStore::announce_positions(int limit) {
  std::function work = [this, limit](Transaction& transaction) -> Result<int> {
    auto& database = transaction.database();
    const auto now = clock_.now();
    const auto second_ago = to_millis(now - std::chrono::seconds(1));
    int told = 0;
    int left = 0;
    for (const auto& place : waiting_order(database, now)) {
      auto& row =
          database.statement("SELECT position, position_told_at FROM jobs WHERE id = ?").bind(place.job.value());
      row.next();
      const bool same = row.integer(0) == place.position;
      const bool too_soon = row.integer(1) > second_ago;
      row.reset();
      if (same) continue;
      auto job = find_job(database, place.job).value();
      if (job.processed_at) {  // it was told that it runs; what follows is its next attempt
        database.run("UPDATE jobs SET position = ? WHERE id = ?", place.position, place.job.value());
        continue;
      }
      if (too_soon || told == limit) {
        ++left;
        continue;
      }
      ++told;
      apply(transaction,
            jobs::moved(std::move(job), place.position, estimate_wait(database, place.position, parallel_jobs_)), now);
      database.run("UPDATE jobs SET position_told_at = ? WHERE id = ?", to_millis(now), place.job.value());
    }
    return left;
  };
  co_return co_await writer_.write(std::move(work));
}

}  // namespace rushes::store_sqlite
