#include "store_sqlite/attempt_rows.h"

namespace rushes::store_sqlite {
namespace {

jobs::Attempt read_attempt(const sqlite::Statement& row) {
  jobs::Attempt attempt;
  attempt.series = static_cast<int>(row.integer(0));
  attempt.number = static_cast<int>(row.integer(1));
  attempt.outcome = static_cast<jobs::AttemptOutcome>(row.integer(2));
  attempt.started_at = from_millis(row.integer(3));
  attempt.ended_at = from_millis(row.integer(4));
  attempt.stage = row.text(5);
  if (!row.is_null(6)) {
    const bool retryable = row.integer(6) != static_cast<int>(jobs::ErrorClass::permanent);
    attempt.failure = jobs::Failure{row.text(7), row.text(8), retryable, row.text(9)};
  }
  return attempt;
}

int single_count(sqlite::Statement& row) {
  row.next();
  const auto count = static_cast<int>(row.integer(0));
  row.reset();
  return count;
}

}  // namespace

void insert_attempt(sqlite::Connection& database, const Row& row, jobs::AttemptOutcome outcome,
                    const jobs::Failure* failure, Timestamp now) {
  std::optional<int> error_class;
  std::optional<std::string> code;
  std::optional<std::string> message;
  std::optional<std::string> log;
  if (failure != nullptr) {
    error_class = static_cast<int>(jobs::class_of(*failure));
    code = failure->code;
    message = failure->message;
    log = failure->log;
  }
  database.run(
      "INSERT INTO attempts (job_no, series, number, outcome, started_at, ended_at, stage, error_class, code, message,"
      " log) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.number, row.series, row.job.attempt, static_cast<int>(outcome), to_millis(row.job.processed_at.value_or(now)),
      to_millis(now), row.job.stage, error_class, code, message, log);
}

int count_failed(sqlite::Connection& database, const Row& row, jobs::ErrorClass error) {
  return single_count(
      database.statement("SELECT count(*) FROM attempts WHERE job_no = ? AND series = ? AND error_class = ?")
          .bind(row.number, row.series, static_cast<int>(error)));
}

int count_failed(sqlite::Connection& database, const Row& row) {
  return single_count(
      database.statement("SELECT count(*) FROM attempts WHERE job_no = ? AND series = ? AND error_class IS NOT NULL")
          .bind(row.number, row.series));
}

std::vector<jobs::Attempt> attempts_of(sqlite::Connection& database, const Row& row) {
  auto& rows = database.statement(
      "SELECT series, number, outcome, started_at, ended_at, stage, error_class, code, message, log FROM attempts"
      " WHERE job_no = ? ORDER BY series, number");
  std::vector<jobs::Attempt> attempts;
  rows.bind(row.number);
  while (rows.next()) attempts.push_back(read_attempt(rows));
  const bool runs = row.job.state == jobs::JobState::processing;
  // It may have ended since its job was read.
  const bool is_there =
      !attempts.empty() && attempts.back().series == row.series && attempts.back().number == row.job.attempt;
  if ((runs || row.job.state == jobs::JobState::completed) && row.job.processed_at && !is_there) {
    jobs::Attempt last;
    last.series = row.series;
    last.number = row.job.attempt;
    last.started_at = *row.job.processed_at;
    last.stage = row.job.stage;
    if (!runs) {
      last.ended_at = row.job.finished_at;
      last.outcome = jobs::AttemptOutcome::completed;
    }
    attempts.push_back(std::move(last));
  }
  return attempts;
}

void save_checkpoint(sqlite::Connection& database, std::int64_t job, const std::string& name, const std::string& data) {
  database.run("INSERT INTO checkpoints VALUES (?1, ?2, ?3) ON CONFLICT (job_no, name) DO UPDATE SET data = ?3", job,
               name, data);
}

std::map<std::string, std::string> checkpoints_of(sqlite::Connection& database, std::int64_t job) {
  std::map<std::string, std::string> checkpoints;
  auto& rows = database.statement("SELECT name, data FROM checkpoints WHERE job_no = ?").bind(job);
  while (rows.next()) checkpoints.emplace(rows.text(0), rows.text(1));
  return checkpoints;
}

void copy_checkpoints(sqlite::Connection& database, std::int64_t from, std::int64_t to) {
  database.run("INSERT INTO checkpoints SELECT ?, name, data FROM checkpoints WHERE job_no = ?", to, from);
}

void drop_checkpoints(sqlite::Connection& database, std::int64_t job) {
  database.run("DELETE FROM checkpoints WHERE job_no = ?", job);
}

}  // namespace rushes::store_sqlite
