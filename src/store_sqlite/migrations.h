#pragma once
#include "base/result.h"
#include "sqlite/connection.h"

namespace rushes::store_sqlite {

/// Brings a database to the newest form, step by step, each in a transaction.
/// Errors: `conflict` where a newer version of Rushes has written it. Throws sqlite::Failure.
Result<void> migrate(sqlite::Connection& connection);

}  // namespace rushes::store_sqlite
