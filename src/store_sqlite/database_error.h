#pragma once
#include "sqlite/connection.h"

#include <filesystem>
#include <optional>

namespace rushes::store_sqlite {

/// What SQLite said of a file, for an operator: which file, and what is to be done. `unavailable`.
Error database_error(const std::filesystem::path& file, const sqlite::Failure& failure);

/// Where a newer Rushes wrote it: `conflict`, with both versions. Throws sqlite::Failure.
std::optional<Error> newer_version(sqlite::Connection& database, const std::filesystem::path& file);

}  // namespace rushes::store_sqlite
