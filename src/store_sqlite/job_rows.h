#pragma once
#include "jobs/job_store.h"
#include "jobs/transitions.h"
#include "store_sqlite/writer.h"

#include <optional>
#include <vector>

namespace rushes::store_sqlite {

// Between rows of `jobs` and the model. All throw sqlite::Failure.

/// The columns that `read_job` reads, in its order.
#define RUSHES_JOB_COLUMNS                                                                         \
  "id, user_id, type, state, progress, stage, message, title, url, input, attempt, max_attempts, " \
  "cancel_requested, restarted, retry_of, audit_id, failure_code, failure_message, created_at, "   \
  "processed_at, finished_at, position"
jobs::Job read_job(const sqlite::Statement& row);

std::optional<jobs::Job> find_job(sqlite::Connection& database, const JobId& id);
/// The job, where `lease` still holds it.
std::optional<jobs::Job> find_leased(sqlite::Connection& database, const jobs::Lease& lease);

void insert_job(sqlite::Connection& database, const jobs::Job& job, const std::string& idempotency_key);
/// Writes what transitions change.
void update_job(sqlite::Connection& database, const jobs::Job& job);

/// Writes the job and its event, which it numbers.
void apply(Transaction& transaction, const jobs::Transition& transition, Timestamp now);
/// Numbers the event, writes it to the log, and has it told after the commit.
void log_event(Transaction& transaction, const jobs::Job& job, const jobs::EventDraft& draft, Timestamp now);

/// The next value of the counter `name`.
std::int64_t next_number(sqlite::Connection& database, std::string_view name);

/// A waiting job's place in the order that `claim` follows.
struct Place {
  JobId job;
  int position = 0;  // from 1
};

/// The user goes to the end of those who wait for the same turn: when its queue fills, and at each claim.
void begin_turn(sqlite::Connection& database, const UserId& user);

/// The fair order: a user's n-th waiting job comes after n - 1 of everyone else's, counting what each
/// has running; of the same turn, whoever waits longest comes first. One expression, so that positions tell the truth
/// about claims. A job that waits for its backoff has no place: it is in nobody's way. Cost: grows with the number of
/// waiting jobs.
std::vector<Place> waiting_order(sqlite::Connection& database, Timestamp now);
/// The same of a user's job that came to the queue last of all jobs; a new or restarted one, say.
int position_of_newest(sqlite::Connection& database, const UserId& user, Timestamp now);

/// Seconds until a job at `position` is likely to start; nothing where nothing was measured yet, or
/// where it starts at once.
std::optional<int> estimate_wait(sqlite::Connection& database, int position, int parallel_jobs);

}  // namespace rushes::store_sqlite
