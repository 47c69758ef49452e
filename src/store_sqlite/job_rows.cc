#include "store_sqlite/job_rows.h"

#include <charconv>
#include <stdexcept>

namespace rushes::store_sqlite {
namespace {

std::optional<std::string> optional_text(const sqlite::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.text(column);
}

std::optional<Timestamp> optional_time(const sqlite::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_millis(row.integer(column));
}

std::optional<std::int64_t> millis(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return to_millis(*time);
}

template <class Id>
std::optional<std::string> text_of(const std::optional<Id>& id) {
  if (!id) return std::nullopt;
  return id->value();
}

std::optional<std::string> failure_part(const jobs::Job& job, std::string jobs::Failure::*part) {
  if (!job.failure) return std::nullopt;
  return (*job.failure).*part;
}

}  // namespace

jobs::Job read_job(const sqlite::Statement& row) {
  jobs::Job job;
  job.id = JobId(row.text(0));
  job.user = UserId(row.text(1));
  job.type = static_cast<jobs::JobType>(row.integer(2));
  job.state = static_cast<jobs::JobState>(row.integer(3));
  job.progress = static_cast<int>(row.integer(4));
  job.stage = row.text(5);
  job.message = row.text(6);
  job.title = row.text(7);
  job.url = row.text(8);
  job.input = row.text(9);
  job.attempt = static_cast<int>(row.integer(10));
  job.max_attempts = static_cast<int>(row.integer(11));
  job.cancel_requested = row.integer(12) != 0;
  job.restarted = row.integer(13) != 0;
  if (auto retry_of = optional_text(row, 14)) job.retry_of = JobId(std::move(*retry_of));
  if (auto audit = optional_text(row, 15)) job.audit = AuditId(std::move(*audit));
  if (auto code = optional_text(row, 16)) job.failure = jobs::Failure{std::move(*code), row.text(17), false, {}};
  job.created_at = from_millis(row.integer(18));
  job.processed_at = optional_time(row, 19);
  job.finished_at = optional_time(row, 20);
  if (job.state == jobs::JobState::pending && row.integer(21) > 0) {
    job.queue_position = static_cast<int>(row.integer(21));
  }
  job.priority = static_cast<int>(row.integer(22));
  if (job.state == jobs::JobState::pending && !job.queue_position && row.integer(25) > 0) {
    job.run_at = from_millis(row.integer(25));
  }
  if (auto key = optional_text(row, 29)) job.unique_key = std::move(*key);
  return job;
}

Row read_row(const sqlite::Statement& row) {
  return {read_job(row),
          row.integer(kNumberColumn),
          row.integer(24),
          row.integer(25),
          row.integer(26),
          from_millis(row.integer(27)),
          static_cast<int>(row.integer(28)),
          row.integer(30),
          row.integer(31)};
}

Result<std::int64_t> read_cursor(const std::string& cursor) {
  if (cursor.empty()) return INT64_MAX;
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), value);
  if (failed != std::errc() || end != cursor.data() + cursor.size() || value < 1) {
    return Error::for_user(Errc::invalid_argument, "CURSOR_INVALID",
                           "The cursor is none that this server gave; start from the first page.");
  }
  return value;
}

std::optional<Row> find_row(sqlite::Connection& database, const JobId& id) {
  auto& asked = database.statement("SELECT " RUSHES_JOB_COLUMNS " FROM jobs WHERE id = ?").bind(id.value());
  if (!asked.next()) return std::nullopt;
  auto row = read_row(asked);
  asked.reset();
  return row;
}

Row row_of(sqlite::Connection& database, std::int64_t number) {
  auto& asked = database.statement("SELECT " RUSHES_JOB_COLUMNS " FROM jobs WHERE no = ?").bind(number);
  if (!asked.next()) throw std::out_of_range("no job has the number " + std::to_string(number));
  auto row = read_row(asked);
  asked.reset();
  return row;
}

std::vector<Row> dead_rows(sqlite::Connection& database, const jobs::DeadFilter& filter, std::int64_t behind,
                           bool newest_first) {
  constexpr std::string_view kUp =
      "SELECT " RUSHES_JOB_COLUMNS
      " FROM jobs WHERE state = 3 AND no > ?1 AND (?2 IS NULL OR id = ?2) AND (?3 IS NULL OR user_id = ?3)"
      " AND (?4 IS NULL OR type = ?4) AND (?5 = '' OR failure_code = ?5) AND (unique_key IS NULL OR NOT EXISTS"
      " (SELECT 1 FROM jobs other WHERE other.user_id = jobs.user_id AND other.unique_key = jobs.unique_key"
      " AND other.state < 2)) ORDER BY no LIMIT ?6";
  constexpr std::string_view kDown =
      "SELECT " RUSHES_JOB_COLUMNS
      " FROM jobs WHERE state = 3 AND no < ?1 AND (?2 IS NULL OR id = ?2) AND (?3 IS NULL OR user_id = ?3)"
      " AND (?4 IS NULL OR type = ?4) AND (?5 = '' OR failure_code = ?5) ORDER BY no DESC LIMIT ?6";
  std::optional<int> type;
  if (filter.type) type = static_cast<int>(*filter.type);
  auto& found = database.statement(newest_first ? kDown : kUp);
  found.bind(behind, text_of(filter.job), text_of(filter.user), type, filter.code, filter.limit);
  std::vector<Row> rows;
  while (found.next()) rows.push_back(read_row(found));
  return rows;
}

std::optional<jobs::Job> find_job(sqlite::Connection& database, const JobId& id) {
  auto row = find_row(database, id);
  if (!row) return std::nullopt;
  return std::move(row->job);
}

jobs::Waiting waiting(const Row& row, Timestamp told_at) {
  jobs::Waiting job;
  job.number = row.number;
  job.id = Uuid::parse(row.job.id.value()).value_or(Uuid());
  job.place = row.place;
  job.type = row.job.type;
  job.priority = row.job.priority;
  job.silent = row.job.processed_at.has_value();
  job.told_position = row.job.queue_position.value_or(0);
  job.told_at = to_millis(told_at);
  return job;
}

void insert_row(sqlite::Connection& database, const Row& row, const std::string& idempotency_key) {
  const auto& job = row.job;
  const auto key = idempotency_key.empty() ? std::nullopt : std::optional(idempotency_key);
  const auto unique_key = job.unique_key.empty() ? std::nullopt : std::optional(job.unique_key);
  database.run(
      "INSERT INTO jobs (no, id, user_id, type, state, place, priority, progress, stage, message, title, url, input,"
      " attempt, max_attempts, retry_of, created_at, run_at, position, idempotency_key,"
      " unique_key, first_seq)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.number, job.id.value(), job.user.value(), static_cast<int>(job.type), static_cast<int>(job.state), row.place,
      job.priority, job.progress, job.stage, job.message, job.title, job.url, job.input, job.attempt, job.max_attempts,
      text_of(job.retry_of), to_millis(job.created_at), row.run_at, job.queue_position.value_or(0), key, unique_key,
      row.first_seq);
}

void update_row(sqlite::Connection& database, const Row& row) {
  const auto& job = row.job;
  database.run(
      "UPDATE jobs SET state = ?, place = ?, progress = ?, stage = ?, message = ?, title = ?, attempt = ?,"
      " max_attempts = ?, cancel_requested = ?, restarted = ?, audit_id = ?, failure_code = ?, failure_message = ?,"
      " processed_at = ?, finished_at = ?, run_at = ?, lease_token = ?, lease_expires_at = ?, position = ?, series = ?,"
      " last_seq = ?"
      " WHERE no = ?",
      static_cast<int>(job.state), row.place, job.progress, job.stage, job.message, job.title, job.attempt,
      job.max_attempts, job.cancel_requested, job.restarted, text_of(job.audit),
      failure_part(job, &jobs::Failure::code), failure_part(job, &jobs::Failure::message), millis(job.processed_at),
      millis(job.finished_at), row.run_at, row.token, to_millis(row.expires_at), job.queue_position.value_or(0),
      row.series, row.last_seq, row.number);
}

}  // namespace rushes::store_sqlite
