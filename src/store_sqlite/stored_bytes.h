#pragma once
#include "base/id.h"
#include "jobs/model.h"
#include "jobs/storage.h"
#include "sqlite/connection.h"

namespace rushes::store_sqlite {

/// Adds so many bytes, or takes them away where below 0, to what the user has on the disk.
void charge(sqlite::Connection& database, const UserId& user, const jobs::StoredBytes& more);

/// Charges the file that the new job brings; a retry brings none.
void charge_upload(sqlite::Connection& database, const jobs::NewJob& job);

/// Gives back what the analysis with this number was charged, before its row goes.
void give_back_analysis(sqlite::Connection& database, std::int64_t number);

}  // namespace rushes::store_sqlite
