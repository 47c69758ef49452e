#include "store_sqlite/database_error.h"

#include "store_sqlite/migrations.h"

#include <string>

namespace rushes::store_sqlite {

Error database_error(const std::filesystem::path& file, const sqlite::Failure& failure) {
  const auto what = "the database " + file.string();
  const auto refusal = failure.to_error();
  if (refusal.public_name() == "DISK_FULL") {
    return {Errc::unavailable, what + " cannot be written, its disk is full; make room and try again"};
  }
  if (refusal.public_name() == "DISK_READ_ONLY") {
    return {Errc::unavailable, what + " cannot be written, its disk or the file is read-only"};
  }
  const std::string said = failure.what();
  if ((failure.code() & 0xff) == SQLITE_CORRUPT) {
    return {Errc::unavailable, what + " is damaged (" + said +
                                   "); put a copy that `rushes db backup` made in its place, with no " +
                                   file.filename().string() + "-wal beside it"};
  }
  const bool is_named = said.find(file.string()) != std::string::npos;
  return {Errc::unavailable, is_named ? said : what + ": " + said};
}

std::optional<Error> newer_version(sqlite::Connection& database, const std::filesystem::path& file) {
  const auto version = version_of(database);
  if (version >= 0 && version <= newest_version()) return std::nullopt;
  return Error(Errc::conflict, "the database " + file.string() + " has version " + std::to_string(version) +
                                   ", this Rushes knows versions up to " + std::to_string(newest_version()) +
                                   "; use the newer Rushes that wrote it");
}

}  // namespace rushes::store_sqlite
