#include "store_sqlite/event_rows.h"

#include "store_sqlite/first_events.h"

namespace rushes::store_sqlite {
namespace {

jobs::Event make_event(sqlite::Connection& database, LiveJobs& live, std::int64_t id, const jobs::Job& job,
                       const jobs::EventDraft& draft, Timestamp now, bool filed) {
  jobs::Event event;
  event.id = id;
  event.user = job.user;
  event.job = job.id;
  event.type = draft.type;
  event.at = now;
  live.number(database, event, filed);
  event.payload = jobs::payload_of(job, draft, event.seq, now);
  return event;
}

}  // namespace

std::int64_t log_event(Transaction& transaction, LiveJobs& live, const jobs::Job& job, const jobs::EventDraft& draft,
                       Timestamp now) {
  auto& database = transaction.without_staged();  // what the user's last event was is known without it
  auto event = make_event(database, live, live.new_number(), job, draft, now, true);
  live.lists().events.add(database, event.user, {event.seq, event.id});
  const auto seq = event.seq;
  transaction.log(std::move(event));
  return seq;
}

std::int64_t log_first_event(Transaction& transaction, LiveJobs& live, const Row& row, const jobs::EventDraft& draft,
                             Timestamp now) {
  auto& database = transaction.without_staged();
  auto event = make_event(database, live, row.number, row.job, draft, now, true);
  live.lists().events.add(database, event.user, {event.seq, event.id});
  const auto seq = event.seq;
  transaction.tell(std::move(event));
  return seq;
}

void tell_event(Transaction& transaction, LiveJobs& live, LiveJobs::Running& running, const jobs::EventDraft& draft,
                Timestamp now) {
  auto event = make_event(transaction.without_staged(), live, live.new_number(), running.row.job, draft, now, false);
  live.keep(running, event);
  transaction.tell(std::move(event));
}

jobs::Event read_event(sqlite::Connection& database, const sqlite::Statement& row) {
  jobs::Event event;
  event.id = row.integer(0);
  event.user = UserId(row.text(1));
  event.seq = row.integer(2);
  event.job = JobId(row.text(3));
  event.type = static_cast<jobs::EventType>(row.integer(4));
  event.payload = row.is_null(5) ? first_payload(database, event.id) : row.text(5);
  event.at = from_millis(row.integer(6));
  return event;
}

std::vector<jobs::Event> read_log(sqlite::Connection& database, std::int64_t after, std::int64_t upto, int limit) {
  // Instead of the view: of jobs whose events stand apart, which may be millions, it would look at each.
  auto& rows = database
                   .statement(
                       "SELECT id, user_id, seq, job_id, type, payload, at FROM events WHERE id > ?1 AND id <= ?2"
                       " UNION ALL SELECT no, user_id, first_seq, id, 0, NULL, created_at FROM submitted_jobs"
                       " WHERE no > max(?1, " RUSHES_FIRST_EVENTS_APART ") AND no <= ?2 ORDER BY 1 LIMIT ?3")
                   .bind(after, upto, limit);
  std::vector<jobs::Event> events;
  while (rows.next()) events.push_back(read_event(database, rows));
  return events;
}

void read_events(sqlite::Connection& database, const UserList& list, const UserId& user, const EventRange& range,
                 const std::function<bool(jobs::Event)>& take) {
  const auto job = range.job ? std::optional(range.job->value()) : std::nullopt;
  list.each(database, user, range.after, range.upto, UserList::Direction::up, [&](const ListEntry& entry) {
    auto& row = database.statement("SELECT * FROM log WHERE id = ?1 AND (?2 IS NULL OR job_id = ?2)");
    if (!row.bind(entry.row, job).next()) return true;
    auto event = read_event(database, row);
    row.reset();
    return take(std::move(event));
  });
}

}  // namespace rushes::store_sqlite
