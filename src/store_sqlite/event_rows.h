#pragma once
#include "jobs/transitions.h"
#include "store_sqlite/live_jobs.h"
#include "store_sqlite/writer.h"

namespace rushes::store_sqlite {

/// Numbers the event, writes it to the log, and has it told after the commit. Gives its sequence number. Throws
/// sqlite::Failure.
std::int64_t log_event(Transaction& transaction, LiveJobs& live, const jobs::Job& job, const jobs::EventDraft& draft,
                       Timestamp now);

/// The same of a new job, whose row it comes to stand in.
std::int64_t log_first_event(Transaction& transaction, LiveJobs& live, const Row& row, const jobs::EventDraft& draft,
                             Timestamp now);

/// Progress: numbers it, has it told at once, and keeps it to be filed.
void tell_event(Transaction& transaction, LiveJobs& live, LiveJobs::Running& running, const jobs::EventDraft& draft,
                Timestamp now);

/// Of a row of the view `log`, with all its columns.
jobs::Event read_event(sqlite::Connection& database, const sqlite::Statement& row);

/// At most `limit` events of the log, above the id `after` and up to `upto`. What it costs does not depend on how many
/// there are besides, nor on how many jobs.
std::vector<jobs::Event> read_log(sqlite::Connection& database, std::int64_t after, std::int64_t upto, int limit);

/// Which of a user's events.
struct EventRange {
  std::int64_t after = 0;  // sequence numbers
  std::int64_t upto = INT64_MAX;
  std::optional<JobId> job;  // of this one alone
};
/// Gives them to `take` in their order, for as long as it says true. For readers as for the writer.
void read_events(sqlite::Connection& database, const UserList& list, const UserId& user, const EventRange& range,
                 const std::function<bool(jobs::Event)>& take);

}  // namespace rushes::store_sqlite
