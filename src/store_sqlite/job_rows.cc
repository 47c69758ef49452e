#include "store_sqlite/job_rows.h"

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
  auto input = parse_json(row.text(9));
  if (input && input->is_object()) job.input = std::move(input->get_object());
  job.attempt = static_cast<int>(row.integer(10));
  job.max_attempts = static_cast<int>(row.integer(11));
  job.cancel_requested = row.integer(12) != 0;
  job.restarted = row.integer(13) != 0;
  if (auto retry_of = optional_text(row, 14)) job.retry_of = JobId(std::move(*retry_of));
  if (auto audit = optional_text(row, 15)) job.audit = AuditId(std::move(*audit));
  if (auto code = optional_text(row, 16)) job.failure = jobs::Failure{std::move(*code), row.text(17), false};
  job.created_at = from_millis(row.integer(18));
  job.processed_at = optional_time(row, 19);
  job.finished_at = optional_time(row, 20);
  if (job.state == jobs::JobState::pending && row.integer(21) > 0) {
    job.queue_position = static_cast<int>(row.integer(21));
  }
  return job;
}

std::optional<jobs::Job> find_job(sqlite::Connection& database, const JobId& id) {
  auto& row = database.statement("SELECT " RUSHES_JOB_COLUMNS " FROM jobs WHERE id = ?").bind(id.value());
  if (!row.next()) return std::nullopt;
  auto job = read_job(row);
  row.reset();
  return job;
}

std::optional<jobs::Job> find_leased(sqlite::Connection& database, const jobs::Lease& lease) {
  auto& row =
      database.statement("SELECT " RUSHES_JOB_COLUMNS " FROM jobs WHERE id = ? AND state = 1 AND lease_token = ?")
          .bind(lease.job.value(), lease.token);
  if (!row.next()) return std::nullopt;
  auto job = read_job(row);
  row.reset();
  return job;
}

void insert_job(sqlite::Connection& database, const jobs::Job& job, const std::string& idempotency_key) {
  const auto key = idempotency_key.empty() ? std::nullopt : std::optional(idempotency_key);
  database.run(
      "INSERT INTO jobs (id, user_id, type, state, place, progress, stage, message, title, url, input, attempt,"
      " max_attempts, retry_of, created_at, position, idempotency_key)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      job.id.value(), job.user.value(), static_cast<int>(job.type), static_cast<int>(job.state),
      next_number(database, "place"), job.progress, job.stage, job.message, job.title, job.url,
      json::serialize(job.input), job.attempt, job.max_attempts, text_of(job.retry_of), to_millis(job.created_at),
      job.queue_position.value_or(0), key);
}

void update_job(sqlite::Connection& database, const jobs::Job& job) {
  database.run(
      "UPDATE jobs SET state = ?, progress = ?, stage = ?, message = ?, title = ?, attempt = ?, max_attempts = ?,"
      " cancel_requested = ?, restarted = ?, audit_id = ?, failure_code = ?, failure_message = ?, processed_at = ?, "
      "finished_at = ?,"
      " position = ? WHERE id = ?",
      static_cast<int>(job.state), job.progress, job.stage, job.message, job.title, job.attempt, job.max_attempts,
      job.cancel_requested, job.restarted, text_of(job.audit), failure_part(job, &jobs::Failure::code),
      failure_part(job, &jobs::Failure::message), millis(job.processed_at), millis(job.finished_at),
      job.queue_position.value_or(0), job.id.value());
}

std::int64_t next_number(sqlite::Connection& database, std::string_view name) {
  auto& row = database.statement("UPDATE counters SET value = value + 1 WHERE name = ? RETURNING value").bind(name);
  row.next();
  const auto value = row.integer(0);
  row.run();
  return value;
}

void log_event(Transaction& transaction, const jobs::Job& job, const jobs::EventDraft& draft, Timestamp now) {
  auto& database = transaction.database();
  auto& numbered = database
                       .statement(
                           "INSERT INTO event_numbers VALUES (?, 1)"
                           " ON CONFLICT (user_id) DO UPDATE SET seq = seq + 1 RETURNING seq")
                       .bind(job.user.value());
  numbered.next();
  jobs::Event event;
  event.seq = numbered.integer(0);
  numbered.run();
  event.user = job.user;
  event.job = job.id;
  event.type = draft.type;
  event.at = now;
  event.payload = jobs::payload_of(job, draft, event.seq, now);
  database.run("INSERT INTO events (user_id, seq, job_id, type, payload, at) VALUES (?, ?, ?, ?, ?, ?)",
               event.user.value(), event.seq, event.job.value(), static_cast<int>(event.type), event.payload,
               to_millis(now));
  event.id = sqlite3_last_insert_rowid(database.handle());
  transaction.tell(std::move(event));
}

void apply(Transaction& transaction, const jobs::Transition& transition, Timestamp now) {
  update_job(transaction.database(), transition.job);
  if (transition.event) log_event(transaction, transition.job, *transition.event, now);
}

void begin_turn(sqlite::Connection& database, const UserId& user) {
  database.run("INSERT INTO turns VALUES (?1, ?2) ON CONFLICT (user_id) DO UPDATE SET since = ?2", user.value(),
               next_number(database, "place"));
}

std::vector<Place> waiting_order(sqlite::Connection& database, Timestamp now) {
  auto& rows = database.statement(
      "WITH running AS (SELECT user_id, count(*) AS n FROM jobs WHERE state = 1 GROUP BY user_id),"
      " waiting AS (SELECT id, user_id, place,"
      "   row_number() OVER (PARTITION BY user_id ORDER BY place) AS turn FROM jobs WHERE state = 0 AND run_at <= ?)"
      " SELECT waiting.id FROM waiting JOIN turns ON turns.user_id = waiting.user_id"
      " LEFT JOIN running ON running.user_id = waiting.user_id"
      " ORDER BY turn + coalesce(n, 0), since");
  rows.bind(to_millis(now));
  std::vector<Place> order;
  while (rows.next()) order.push_back({JobId(rows.text(0)), static_cast<int>(order.size()) + 1});
  return order;
}

int position_of_newest(sqlite::Connection& database, const UserId& user, Timestamp now) {
  // Its turn is the last of its user's. Of each other user, the turns before come before it, and the same
  // one where that user waits longer: only counts are needed, not the order itself.
  auto& row = database.statement(
      "WITH running AS (SELECT user_id, count(*) AS n FROM jobs WHERE state = 1 GROUP BY user_id),"
      " waiting AS (SELECT user_id, count(*) AS w FROM jobs WHERE state = 0 AND run_at <= ?2 GROUP BY user_id),"
      " everyone AS (SELECT waiting.user_id, w, coalesce(n, 0) AS n, since FROM waiting"
      "   JOIN turns ON turns.user_id = waiting.user_id LEFT JOIN running ON running.user_id = waiting.user_id)"
      " SELECT own.w + coalesce(sum(min(other.w, max(0, own.w + own.n - other.n - (other.since > own.since)))), 0)"
      " FROM everyone AS own LEFT JOIN everyone AS other ON other.user_id <> own.user_id WHERE own.user_id = ?1");
  row.bind(user.value(), to_millis(now));
  row.next();
  const auto position = static_cast<int>(row.integer(0));
  row.reset();
  return position;
}

std::optional<int> estimate_wait(sqlite::Connection& database, int position, int parallel_jobs) {
  auto& running = database.statement("SELECT count(*) FROM jobs WHERE state = 1");
  running.next();
  const auto ahead = position - 1 + static_cast<int>(running.integer(0));
  running.reset();
  const auto rounds = ahead / parallel_jobs;
  if (rounds == 0) return std::nullopt;
  auto& measured = database.statement(
      "SELECT avg(took) FROM (SELECT finished_at - processed_at AS took FROM jobs"
      " WHERE state = 2 AND finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 20)");
  measured.next();
  const bool none = measured.is_null(0);
  const auto mean_millis = measured.integer(0);
  measured.reset();
  if (none) return std::nullopt;
  return static_cast<int>((mean_millis * rounds + 999) / 1000);
}

}  // namespace rushes::store_sqlite
