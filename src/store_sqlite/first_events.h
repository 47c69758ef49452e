#pragma once
#include "jobs/event.h"
#include "sqlite/connection.h"

#include <cstdint>

// That number, in SQL.
#define RUSHES_FIRST_EVENTS_APART "(SELECT value FROM counters WHERE name = 'first_events_apart')"

namespace rushes::store_sqlite {

// The event of a submit has no row: it says what the job's row says, and its id is the job's number. So a submit is one
// row, and jobs and events are numbered together. The view `log` has it among the others, without its payload.
//
// Up to the number in the counter `first_events_apart`, jobs have no event with them: it stands in `events`, or is
// gone.
//
// All throw sqlite::Failure.

/// The payload of the event that this job's row is.
std::string first_payload(sqlite::Connection& database, std::int64_t job);

/// Gives the job's event a row of its own. Says whether it had none.
bool set_first_event_apart(sqlite::Connection& database, std::int64_t job);

/// The job's event is gone, or stands apart, and so are those of all jobs before it.
void first_events_apart_upto(sqlite::Connection& database, std::int64_t job);

}  // namespace rushes::store_sqlite
