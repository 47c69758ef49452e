#pragma once
#include "sqlite/connection.h"

namespace rushes::store_sqlite {

/// Takes the index of ids from the table of jobs, and writes ids and users' lists some to a row. Within the transaction
/// under way. Throws sqlite::Failure.
void list_in_runs(sqlite::Connection& database);

/// Runs `sql`, which renames tables that the view `jobs` looks at: SQLite does not while there is the view.
void run_below_view(sqlite::Connection& database, const char* sql);

}  // namespace rushes::store_sqlite
