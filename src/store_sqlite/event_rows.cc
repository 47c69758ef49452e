#include "store_sqlite/event_rows.h"

namespace rushes::store_sqlite {
namespace {

jobs::Event make_event(sqlite::Connection& database, LiveJobs& live, const jobs::Job& job,
                       const jobs::EventDraft& draft, Timestamp now, bool filed) {
  jobs::Event event;
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
  auto event = make_event(transaction.database(), live, job, draft, now, true);
  insert_event(transaction.database(), event);
  const auto seq = event.seq;
  transaction.tell(std::move(event));
  return seq;
}

void tell_event(Transaction& transaction, LiveJobs& live, LiveJobs::Running& running, const jobs::EventDraft& draft,
                Timestamp now) {
  auto event = make_event(transaction.database(), live, running.row.job, draft, now, false);
  live.keep(running, event);
  transaction.tell(std::move(event));
}

void insert_event(sqlite::Connection& database, const jobs::Event& event) {
  database.run("INSERT INTO events (id, user_id, seq, job_id, type, payload, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
               event.id, event.user.value(), event.seq, event.job.value(), static_cast<int>(event.type), event.payload,
               to_millis(event.at));
}

jobs::Event read_event(const sqlite::Statement& row) {
  jobs::Event event;
  event.id = row.integer(0);
  event.user = UserId(row.text(1));
  event.seq = row.integer(2);
  event.job = JobId(row.text(3));
  event.type = static_cast<jobs::EventType>(row.integer(4));
  event.payload = row.text(5);
  event.at = from_millis(row.integer(6));
  return event;
}

}  // namespace rushes::store_sqlite
