#pragma once
#include "sqlite/connection.h"

namespace rushes::store_sqlite {

/// The version that `migrate` brings a database to, and that which it has. The latter throws sqlite::Failure.
int newest_version();
int version_of(sqlite::Connection& connection);

/// Brings a database to the newest form, or to an older one that it has not reached, step by step, each in a
/// transaction. One that a newer Rushes wrote (see `newer_version`) is left alone. Throws sqlite::Failure.
void migrate(sqlite::Connection& connection, int upto = newest_version());

}  // namespace rushes::store_sqlite
