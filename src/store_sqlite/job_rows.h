#pragma once
#include "jobs/fair_order.h"
#include "jobs/model.h"
#include "sqlite/connection.h"
#include "store_sqlite/id_list.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rushes::store_sqlite {

class Transaction;

// Between rows and the model: `submitted_jobs` has what a submit wrote, `job_states` what happened since, the view
// `jobs` both. All throw sqlite::Failure.

/// The columns that `read_job` and `read_row` read, in their order.
#define RUSHES_JOB_COLUMNS                                                                            \
  "id, user_id, type, state, progress, stage, message, title, url, input, attempt, max_attempts, "    \
  "cancel_requested, restarted, retry_of, audit_id, failure_code, failure_message, created_at, "      \
  "processed_at, finished_at, position, priority, no, place, run_at, lease_token, lease_expires_at, " \
  "series, unique_key, first_seq, last_seq"
jobs::Job read_job(const sqlite::Statement& row);
/// Of the columns above, the job's number.
inline constexpr int kNumberColumn = 23;
/// Behind the columns above: what was submitted.
inline constexpr int kBodyColumn = 32;

/// A cursor is the number of a page's last job; the empty one is behind all. Another's number tells nothing and shows
/// nothing. Errors: `invalid_argument` (CURSOR_INVALID).
Result<std::int64_t> read_cursor(const std::string& cursor);

/// A job and what the store alone knows of it.
struct Row {
  jobs::Job job;
  std::int64_t number = 0;
  std::int64_t place = 0;
  std::int64_t run_at = 0;  // ms
  std::int64_t token = 0;
  Timestamp expires_at;
  int series = 0;              // of attempts
  std::int64_t first_seq = 0;  // of the job's events, among its user's
  std::int64_t last_seq = 0;   // 0: it has not ended
};
Row read_row(const sqlite::Statement& row);
std::optional<Row> find_row(sqlite::Connection& database, const IdList& ids, const JobId& id);
/// Of a job that there is. Its text too, where it is asked for.
Row row_of(sqlite::Connection& database, std::int64_t number, std::string* body = nullptr);
/// The failed jobs, behind the one with the number `behind`, newest first, or oldest first without those
/// whose unique key another job has now.
std::vector<Row> dead_rows(sqlite::Connection& database, const jobs::DeadFilter& filter, std::int64_t behind,
                           bool newest_first);
std::optional<jobs::Job> find_job(sqlite::Connection& database, const IdList& ids, const JobId& id);

/// As in jobs::Waiting.
std::uint32_t second_of(Timestamp time);
/// The job of `row` as the order takes it: it comes to wait at `told_at`, and is told where it stands.
jobs::Waiting waiting(const Row& row, Timestamp told_at);
/// A new one, of which the row has nothing yet but its numbers.
jobs::Waiting new_waiting(const jobs::NewJob& job, const Row& row, Timestamp told_at);

/// What the row of a new job is found by, beside its number and its id.
void keep_keys(sqlite::Connection& database, const Row& row, const jobs::NewJob& request);
/// A job that has ended: its state; it joins the failed ones, and its unique key is free.
void write_end(Transaction& transaction, const Row& row);
/// One that had ended and begins anew.
void write_restart(Transaction& transaction, const Row& row);

}  // namespace rushes::store_sqlite
