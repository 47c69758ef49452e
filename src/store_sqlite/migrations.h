#pragma once
#include "base/result.h"
#include "sqlite/connection.h"

namespace rushes::store_sqlite {

/// The version that `migrate` brings a database to, and that which it has. The latter throws sqlite::Failure.
int newest_version();
int version_of(sqlite::Connection& connection);

/// Brings a database to the newest form, or to an older one that it has not reached, step by step, each in a
/// transaction.
/// Errors: `conflict` where a newer version of Rushes has written it. Throws sqlite::Failure.
Result<void> migrate(sqlite::Connection& connection, int upto = newest_version());

}  // namespace rushes::store_sqlite
