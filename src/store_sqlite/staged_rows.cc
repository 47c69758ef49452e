#include "store_sqlite/staged_rows.h"

namespace rushes::store_sqlite {
namespace {

// In the order of the tables' columns, which `give` counts.
constexpr const char* kJobColumns =
    "no, id, user_id, type, place, priority, stage, message, title, url, input, max_attempts, retry_of, created_at,"
    " run_at, position, idempotency_key, unique_key, first_seq, body";
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
      return put_unless_empty(cell, request.body);
    default:
      return;
  }
}

void StagedRows::Events::give(std::size_t row, int column, const sqlite::Cell& cell) const {
  const auto& event = (*all)[places[row]];
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
  database.offer("new_events", kEventColumns, events_);
}

void StagedRows::add(const Row& row, const jobs::NewJob& request) {
  jobs_.rows.push_back({&request, row.job.stage, row.job.message, row.number, row.place, to_millis(row.job.created_at),
                        row.run_at, row.job.queue_position.value_or(0), row.first_seq});
}

void StagedRows::write(sqlite::Connection& database, const std::vector<jobs::Event>& events) {
  events_.all = &events;
  // FAIL, since the transaction or the unit's part of it is taken back anyway: SQLite need not be able to do that for
  // this statement alone.
  if (!jobs_.rows.empty()) database.run("INSERT OR FAIL INTO submitted_jobs SELECT * FROM new_jobs");
  if (!events_.places.empty()) database.run("INSERT OR FAIL INTO events SELECT * FROM new_events");
  drop();
}

void StagedRows::drop() noexcept {
  jobs_.rows.clear();
  events_.places.clear();
}

}  // namespace rushes::store_sqlite
