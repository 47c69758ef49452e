#pragma once
#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace rushes::store_sqlite {

// What an operator does with a database file; each call takes as long as the file is large. All give the errors
// `not_found` where there is no such file, `conflict` where it is of another version or in use, `unavailable`.

/// How far it is: so much of so much. Called often.
using Progress = std::function<void(std::int64_t done, std::int64_t of)>;

struct CheckReport {
  std::vector<std::string> problems;  // in words, the first of each kind, and how many more
  std::int64_t jobs = 0;
  std::int64_t unfinished = 0;
  std::int64_t events = 0;
  std::int64_t analyses = 0;
};

/// Whether the file is sound and says the same everywhere: of jobs, their events and what they made. A server may run
/// meanwhile: it looks at one moment.
Result<CheckReport> check_database(const std::filesystem::path& database, const Progress& progress);

struct BackupReport {
  std::int64_t bytes = 0;
  CheckReport check;  // of the copy
};

/// Copies the database to `target`, as it is at one moment, while a server may run; checks the copy, and only then puts
/// it in its place. The copy's event log is another one: clients that knew the first start new sessions.
/// Errors: `conflict` where `target` exists, without `replace`; `internal` where the copy is not sound.
Result<BackupReport> backup_database(const std::filesystem::path& database, const std::filesystem::path& target,
                                     bool replace, const Progress& progress);

struct VacuumReport {
  std::int64_t before = 0;  // bytes
  std::int64_t after = 0;
};

/// Writes the database anew, without what was deleted, beside the old one, and takes its place.
/// Errors: `conflict` while a server runs.
Result<VacuumReport> vacuum_database(const std::filesystem::path& database, const Progress& progress);

}  // namespace rushes::store_sqlite
