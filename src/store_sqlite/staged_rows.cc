#include "store_sqlite/staged_rows.h"

#include <algorithm>
#include <utility>

namespace rushes::store_sqlite {
namespace {

// In the order of the tables' columns, which `give` counts.
constexpr const char* kJobColumns =
    "no, id, user_id, type, place, priority, stage, message, title, url, input, max_attempts, retry_of, created_at,"
    " run_at, position, idempotency_key, unique_key, first_seq, estimated_wait, body";
constexpr const char* kStateColumns =
    "no, state, place, progress, stage, message, title, attempt, cancel_requested, restarted, audit_id, failure_code,"
    " failure_message, processed_at, finished_at, run_at, lease_token, lease_expires_at, position, series, last_seq";
constexpr const char* kEventColumns = "id, user_id, seq, job_id, type, payload, at";

void put_unless_empty(const sqlite::Cell& cell, const std::string& text) {
  if (!text.empty()) cell.put(text);
}

}  // namespace

void StagedRows::Jobs::give(std::size_t row, int column, const sqlite::Cell& cell) const {
  const auto& job = rows[row];
  const auto& request = *job.request;
  switch (column) {
    case 0:
      return cell.put(job.number);
    case 1:
      return cell.put(request.id.value());
    case 2:
      return cell.put(request.user.value());
    case 3:
      return cell.put(static_cast<std::int64_t>(request.type));
    case 4:
      return cell.put(job.place);
    case 5:
      return cell.put(std::int64_t{request.priority});
    case 6:
      return cell.put(job.stage);
    case 7:
      return cell.put(job.message);
    case 8:
      return cell.put(request.title);
    case 9:
      return cell.put(request.url);
    case 10:
      return cell.put(request.input);
    case 11:
      return cell.put(std::int64_t{request.max_attempts});
    case 12:
      if (request.retry_of) cell.put(request.retry_of->value());
      return;
    case 13:
      return cell.put(job.created_at);
    case 14:
      return cell.put(job.run_at);
    case 15:
      return cell.put(job.position);
    case 16:
      return put_unless_empty(cell, request.idempotency_key);
    case 17:
      return put_unless_empty(cell, request.unique_key);
    case 18:
      return cell.put(job.first_seq);
    case 19:
      if (job.estimated_wait) cell.put(std::int64_t{*job.estimated_wait});
      return;
    case 20:
      return put_unless_empty(cell, request.body);
    default:
      return;
  }
}

void StagedRows::States::give(std::size_t row, int column, const sqlite::Cell& cell) const {
  const auto& job = rows[row];
  switch (column) {
    case 0:
      return cell.put(job.number);
    case 1:
      return cell.put(static_cast<std::int64_t>(job.state));
    case 2:
      return cell.put(job.place);
    case 3:
      return cell.put(std::int64_t{job.progress});
    case 4:
      return cell.put(job.stage);
    case 5:
      return cell.put(job.message);
    case 6:
      return cell.put(job.title);
    case 7:
      return cell.put(std::int64_t{job.attempt});
    case 8:
      return cell.put(std::int64_t{job.cancel_requested ? 1 : 0});
    case 9:
      return cell.put(std::int64_t{job.restarted ? 1 : 0});
    case 10:
      if (job.audit) cell.put(job.audit->value());
      return;
    case 11:
      if (job.failure) cell.put(job.failure->code);
      return;
    case 12:
      if (job.failure) cell.put(job.failure->message);
      return;
    case 13:
      if (job.processed_at) cell.put(to_millis(*job.processed_at));
      return;
    case 14:
      if (job.finished_at) cell.put(to_millis(*job.finished_at));
      return;
    case 15:
      return cell.put(job.run_at);
    case 16:
      return cell.put(job.token);
    case 17:
      return cell.put(job.expires_at);
    case 18:
      return cell.put(job.position);
    case 19:
      return cell.put(job.series);
    case 20:
      return cell.put(job.last_seq);
    default:
      return;
  }
}

void StagedRows::Numbers::give(std::size_t row, int, const sqlite::Cell& cell) const { cell.put(numbers[row]); }

void StagedRows::Events::give(std::size_t row, int column, const sqlite::Cell& cell) const {
  const auto& event = row < places.size() ? (*told)[places[row]] : own[row - places.size()];
  switch (column) {
    case 0:
      return cell.put(event.id);
    case 1:
      return cell.put(event.user.value());
    case 2:
      return cell.put(event.seq);
    case 3:
      return cell.put(event.job.value());
    case 4:
      return cell.put(static_cast<std::int64_t>(event.type));
    case 5:
      return cell.put(event.payload);
    case 6:
      return cell.put(to_millis(event.at));
    default:
      return;
  }
}

void StagedRows::offer(sqlite::Connection& database) {
  database.offer("new_jobs", kJobColumns, jobs_);
  database.offer("new_states", kStateColumns, states_);
  database.offer("new_events", kEventColumns, events_);
  database.offer("newly_listed_jobs", "no", unfinished_);
  database.offer("ended_jobs", "no", ended_);
}

void StagedRows::add(const Row& row, const jobs::NewJob& request, std::optional<int> estimated_wait) {
  jobs_.rows.push_back({&request, row.job.stage, row.job.message, row.number, row.place, to_millis(row.job.created_at),
                        row.run_at, row.job.queue_position.value_or(0), row.first_seq, estimated_wait});
  staged();
}

void StagedRows::set_state(const Row& row) {
  const auto& job = row.job;
  states_.rows.push_back({row.number,
                          job.state,
                          row.place,
                          job.progress,
                          job.stage,
                          job.message,
                          job.title,
                          job.attempt,
                          job.cancel_requested,
                          job.restarted,
                          job.audit,
                          job.failure,
                          job.processed_at,
                          job.finished_at,
                          row.run_at,
                          row.token,
                          to_millis(row.expires_at),
                          job.queue_position.value_or(0),
                          row.series,
                          row.last_seq});
  staged();
}

void StagedRows::list_unfinished(std::int64_t job) {
  unfinished_.numbers.push_back(job);
  staged();
}

void StagedRows::unlist_ended(std::int64_t job) {
  ended_.numbers.push_back(job);
  staged();
}

void StagedRows::add_told(std::size_t place) {
  events_.places.push_back(place);
  staged();
}

void StagedRows::add_event(jobs::Event event) {
  events_.own.push_back(std::move(event));
  staged();
}

bool StagedRows::has_job(std::int64_t number) const noexcept {
  // New jobs have the highest numbers, in their order.
  if (!jobs_.rows.empty() && number >= jobs_.rows.front().number) return true;
  return std::any_of(states_.rows.begin(), states_.rows.end(), [&](const auto& job) { return job.number == number; });
}

void StagedRows::write(sqlite::Connection& database, const std::vector<jobs::Event>& told) {
  if (!any_) return;
  events_.told = &told;
  // FAIL, since the transaction or the unit's part of it is taken back anyway: SQLite need not be able to do that for
  // this statement alone.
  if (!jobs_.rows.empty()) database.run("INSERT OR FAIL INTO submitted_jobs SELECT * FROM new_jobs");
  if (!states_.rows.empty()) database.run("INSERT OR REPLACE INTO job_states SELECT * FROM new_states");
  if (events_.size() > 0) database.run("INSERT OR FAIL INTO events SELECT * FROM new_events");
  if (unfinished_.size() > 0) database.run("INSERT OR IGNORE INTO unfinished_jobs SELECT no FROM newly_listed_jobs");
  if (!ended_.numbers.empty()) database.run("DELETE FROM unfinished_jobs WHERE no IN (SELECT no FROM ended_jobs)");
  drop();
}

void StagedRows::drop() noexcept {
  jobs_.rows.clear();
  states_.rows.clear();
  events_.places.clear();
  events_.own.clear();
  unfinished_.numbers.clear();
  ended_.numbers.clear();
  any_ = false;
}

}  // namespace rushes::store_sqlite
