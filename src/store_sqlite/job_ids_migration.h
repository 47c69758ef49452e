#pragma once
#include "sqlite/connection.h"

namespace rushes::store_sqlite {

/// Takes the index of ids from the table of jobs and writes them as job_ids.h wants them. Within the transaction under
/// way. Throws sqlite::Failure.
void list_job_ids(sqlite::Connection& database);

}  // namespace rushes::store_sqlite
