#pragma once
#include "base/file.h"

#include <filesystem>

namespace rushes::store_sqlite {

/// Keeps other servers, and whoever needs the database for itself alone, out until it is closed: also after a crash, as
/// the system closes it. Errors: `conflict` where another holds it; `unavailable`.
Result<FileDescriptor> lock_out_others(const std::filesystem::path& database);

/// The database holds what users said and wrote: makes the file where there is none, for this account's eyes alone.
/// SQLite gives the files that it makes beside it the same mode. Errors: `unavailable`.
Result<void> make_private(const std::filesystem::path& database);

}  // namespace rushes::store_sqlite
