#pragma once
#include "sqlite/connection.h"

namespace rushes::store_sqlite {

/// Takes the index of ids from the table of jobs, and writes ids and users' lists some to a row. Within the transaction
/// under way. Throws sqlite::Failure.
void list_in_runs(sqlite::Connection& database);

}  // namespace rushes::store_sqlite
