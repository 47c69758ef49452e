#include "store_sqlite/first_events.h"

#include "jobs/transitions.h"

#include <stdexcept>

namespace rushes::store_sqlite {

std::string first_payload(sqlite::Connection& database, std::int64_t job) {
  auto& row = database.statement(
      "SELECT id, user_id, type, title, url, retry_of, run_at, created_at, position, estimated_wait, first_seq"
      " FROM submitted_jobs WHERE no = ?");
  if (!row.bind(job).next()) throw std::logic_error("job number " + std::to_string(job) + " has no row");
  jobs::NewJob request;
  request.id = JobId(row.text(0));
  request.user = UserId(row.text(1));
  request.type = static_cast<jobs::JobType>(row.integer(2));
  request.title = row.text(3);
  request.url = row.text(4);
  if (!row.is_null(5)) request.retry_of = JobId(row.text(5));
  if (row.integer(6) > 0) request.run_at = from_millis(row.integer(6));
  const auto at = from_millis(row.integer(7));
  std::optional<int> position;
  if (row.integer(8) > 0) position = static_cast<int>(row.integer(8));
  std::optional<int> estimated_wait;
  if (!row.is_null(9)) estimated_wait = static_cast<int>(row.integer(9));
  const auto seq = row.integer(10);
  row.reset();
  const auto created = jobs::created(request, position, estimated_wait, at);
  return jobs::payload_of(created.job, *created.event, seq, at);
}

bool set_first_event_apart(sqlite::Connection& database, std::int64_t job) {
  auto& row = database.statement("SELECT 1 FROM log WHERE id = ? AND payload IS NULL").bind(job);
  if (!row.next()) return false;
  row.reset();
  database.run("INSERT INTO events SELECT id, user_id, seq, job_id, type, ?2, at FROM log WHERE id = ?1", job,
               first_payload(database, job));
  return true;
}

void first_events_apart_upto(sqlite::Connection& database, std::int64_t job) {
  database.run("UPDATE counters SET value = max(value, ?) WHERE name = 'first_events_apart'", job);
}

}  // namespace rushes::store_sqlite
