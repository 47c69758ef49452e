#include "store_sqlite/job_rows.h"

#include "store_sqlite/stored_bytes.h"
#include "store_sqlite/transaction.h"

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

template <class Id>
std::optional<std::string> text_of(const std::optional<Id>& id) {
  if (!id) return std::nullopt;
  return id->value();
}

void hold_unique_key(sqlite::Connection& database, const Row& row) {
  const auto& job = row.job;
  if (job.unique_key.empty()) return;
  database.run("INSERT INTO unique_keys VALUES (?, ?, ?)", job.user.value(), job.unique_key, row.number);
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

std::optional<Row> find_row(sqlite::Connection& database, const IdList& ids, const JobId& id) {
  const auto number = ids.number_of(database, id.value());
  if (!number) return std::nullopt;
  auto& asked = database.statement("SELECT " RUSHES_JOB_COLUMNS " FROM jobs WHERE no = ? AND id = ?");
  asked.bind(*number, id.value());
  if (!asked.next()) return std::nullopt;
  auto row = read_row(asked);
  asked.reset();
  return row;
}

Row row_of(sqlite::Connection& database, std::int64_t number, std::string* body) {
  // Where nothing has happened to it yet, in half the time that the view takes.
  auto* asked = &database.statement(
      "SELECT id, user_id, type, 0, 0, stage, message, title, url, input, 0, max_attempts, 0, 0, retry_of, NULL, NULL,"
      " NULL, created_at, NULL, NULL, position, priority, no, place, run_at, 0, 0, 0, unique_key, first_seq, 0, body"
      " FROM submitted_jobs WHERE no = ?1 AND NOT EXISTS (SELECT 1 FROM job_states WHERE no = ?1)");
  if (!asked->bind(number).next()) {
    asked = &database.statement("SELECT " RUSHES_JOB_COLUMNS ", body FROM jobs WHERE no = ?");
    if (!asked->bind(number).next()) throw std::out_of_range("no job has the number " + std::to_string(number));
  }
  auto row = read_row(*asked);
  if (body != nullptr) *body = asked->text(kBodyColumn);
  asked->reset();
  return row;
}

std::vector<Row> dead_rows(sqlite::Connection& database, const jobs::DeadFilter& filter, std::int64_t behind,
                           bool newest_first) {
  constexpr std::string_view kUp =
      "SELECT " RUSHES_JOB_COLUMNS
      " FROM (SELECT no AS dead FROM dead_jobs WHERE dead_jobs.no > ?1) CROSS JOIN jobs ON jobs.no = dead"
      " WHERE (?2 IS NULL OR id = ?2) AND (?3 IS NULL OR user_id = ?3)"
      " AND (?4 IS NULL OR type = ?4) AND (?5 = '' OR failure_code = ?5) AND (unique_key IS NULL OR NOT EXISTS"
      " (SELECT 1 FROM unique_keys WHERE unique_keys.user_id = jobs.user_id AND unique_keys.key = jobs.unique_key))"
      " ORDER BY dead LIMIT ?6";
  constexpr std::string_view kDown =
      "SELECT " RUSHES_JOB_COLUMNS
      " FROM (SELECT no AS dead FROM dead_jobs WHERE dead_jobs.no < ?1) CROSS JOIN jobs ON jobs.no = dead"
      " WHERE (?2 IS NULL OR id = ?2) AND (?3 IS NULL OR user_id = ?3)"
      " AND (?4 IS NULL OR type = ?4) AND (?5 = '' OR failure_code = ?5) ORDER BY dead DESC LIMIT ?6";
  std::optional<int> type;
  if (filter.type) type = static_cast<int>(*filter.type);
  auto& found = database.statement(newest_first ? kDown : kUp);
  found.bind(behind, text_of(filter.job), text_of(filter.user), type, filter.code, filter.limit);
  std::vector<Row> rows;
  while (found.next()) rows.push_back(read_row(found));
  return rows;
}

std::optional<jobs::Job> find_job(sqlite::Connection& database, const IdList& ids, const JobId& id) {
  auto row = find_row(database, ids, id);
  if (!row) return std::nullopt;
  return std::move(row->job);
}

std::uint32_t second_of(Timestamp time) { return static_cast<std::uint32_t>(to_millis(time) / 1000); }

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
  job.since = second_of(told_at);
  return job;
}

jobs::Waiting new_waiting(const jobs::NewJob& job, const Row& row, Timestamp told_at) {
  jobs::Waiting waiting;
  waiting.number = row.number;
  waiting.id = Uuid::parse(job.id.value()).value_or(Uuid());
  waiting.place = row.place;
  waiting.type = job.type;
  waiting.priority = job.priority;
  waiting.told_at = to_millis(told_at);
  waiting.since = second_of(told_at);
  return waiting;
}

void keep_keys(sqlite::Connection& database, const Row& row, const jobs::NewJob& request) {
  if (!request.idempotency_key.empty()) {
    database.run("INSERT INTO job_keys VALUES (?, ?, ?, ?)", request.user.value(), request.idempotency_key, row.number,
                 sqlite::Blob{request.request_digest});
  }
  if (request.type == jobs::JobType::upload) {
    database.run(
        "INSERT INTO upload_jobs SELECT json_extract(?1, '$.upload'), ?2"
        " WHERE json_extract(?1, '$.upload') IS NOT NULL",
        request.input, row.number);
    charge_upload(database, request);
  }
  hold_unique_key(database, row);
}

void write_end(Transaction& transaction, const Row& row) {
  transaction.set_state(row);
  auto& database = transaction.without_staged();
  if (row.job.state == jobs::JobState::failed) database.run("INSERT INTO dead_jobs VALUES (?)", row.number);
  if (row.job.unique_key.empty()) return;
  database.run("DELETE FROM unique_keys WHERE user_id = ? AND key = ?", row.job.user.value(), row.job.unique_key);
}

void write_restart(Transaction& transaction, const Row& row) {
  transaction.set_state(row);
  auto& database = transaction.without_staged();
  database.run("DELETE FROM dead_jobs WHERE no = ?", row.number);
  hold_unique_key(database, row);
}

}  // namespace rushes::store_sqlite
