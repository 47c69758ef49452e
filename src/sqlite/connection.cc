#include "sqlite/connection.h"

#include "base/disk_error.h"
#include "base/file.h"
#include "sqlite/fold.h"
#include "sqlite/page_cache.h"
#include "sqlite/row_source.h"
#include "sqlite/wal_vfs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>
#include <vector>

namespace rushes::sqlite {
namespace {

void fold(sqlite3_context* context, int count, sqlite3_value** values) {
  (void)count;
  const auto* bytes = sqlite3_value_text(values[0]);
  if (bytes == nullptr) return;  // NULL stays NULL
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
  const auto folded = fold_case({reinterpret_cast<const char*>(bytes), size});
  sqlite3_result_text64(context, folded.data(), folded.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

Error Failure::to_error() const {
  switch (code_ & 0xff) {
    case SQLITE_FULL:
      return disk_error(ENOSPC);
    case SQLITE_READONLY:
      return disk_error(EROFS);
    case SQLITE_IOERR:
      return disk_error(system_errno_);
    case SQLITE_CONSTRAINT:
      return Error(Errc::conflict, what());
    default:
      return Error(Errc::unavailable, what());
  }
}

Statement::Statement(sqlite3* database, std::string_view sql) : statement_(nullptr, &sqlite3_finalize) {
  sqlite3_stmt* made = nullptr;
  const int failed =
      sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  statement_.reset(made);
  if (failed != SQLITE_OK) throw Failure(failed, std::string(sqlite3_errmsg(database)) + " in: " + std::string(sql));
}

void Statement::fail(int code) const {
  const int system_errno = errno;
  auto* database = sqlite3_db_handle(statement_.get());
  const std::string words = sqlite3_errmsg(database);
  sqlite3_reset(statement_.get());
  throw Failure(code, "database: " + words, system_errno);
}

bool Statement::next() {
  errno = 0;  // sqlite3_system_errno knows nothing of what fails at the commit
  const int code = sqlite3_step(statement_.get());
  stands_ = code == SQLITE_ROW;
  if (stands_) return true;
  if (code != SQLITE_DONE) fail(code);
  sqlite3_reset(statement_.get());
  return false;
}

int Statement::run() {
  while (next()) {
  }
  return sqlite3_changes(sqlite3_db_handle(statement_.get()));
}

std::string Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Statement::reset() {
  rewind();
  sqlite3_clear_bindings(statement_.get());
}

void Statement::rewind() {
  if (std::exchange(stands_, false)) sqlite3_reset(statement_.get());
}

void Statement::all_bound(int count) const {
  if (count != sqlite3_bind_parameter_count(statement_.get())) {
    throw std::logic_error(std::string("not all parameters are bound of: ") + sqlite3_sql(statement_.get()));
  }
}

void Statement::bind_one(int at, std::int64_t value, Life) {
  if (const int failed = sqlite3_bind_int64(statement_.get(), at, value); failed != SQLITE_OK) fail(failed);
}

void Statement::bind_one(int at, std::string_view value, Life life) {
  // An empty view may point to nothing, which SQLite would store as NULL.
  const char* bytes = value.empty() ? "" : value.data();
  if (const int failed = sqlite3_bind_text64(statement_.get(), at, bytes, value.size(), life, SQLITE_UTF8);
      failed != SQLITE_OK) {
    fail(failed);
  }
}

void Statement::bind_one(int at, Blob value, Life life) {
  const int failed = sqlite3_bind_blob64(statement_.get(), at, value.bytes.data(), value.bytes.size(), life);
  if (failed != SQLITE_OK) fail(failed);
}

void Statement::bind_one(int at, std::nullptr_t, Life) {
  if (const int failed = sqlite3_bind_null(statement_.get(), at); failed != SQLITE_OK) fail(failed);
}

Connection::Connection(const std::filesystem::path& file, Access access) : database_(nullptr, &sqlite3_close_v2) {
  const int flags = (access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                    SQLITE_OPEN_NOMUTEX;
  // Counting every byte takes a lock at each allocation, of all threads.
  static const int kUncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)kUncounted;
  count_pages_in_cache();
  sqlite3* opened = nullptr;
  const int failed = sqlite3_open_v2(file.c_str(), &opened, flags, wal_vfs());
  database_.reset(opened);
  if (failed != SQLITE_OK) {
    throw Failure(failed, "cannot open the database " + file.string() + ": " + sqlite3_errstr(failed), errno);
  }
  sqlite3_extended_result_codes(opened, 1);
  set_lock_patience(kLockPatience);
  sqlite3_create_function_v2(opened, "fold", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, fold, nullptr, nullptr,
                             nullptr);
  try {
    execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
    set_page_cache(kPageCache);
  } catch (const Failure& error) {
    if (error.code() == SQLITE_NOTADB) throw Failure(SQLITE_NOTADB, file.string() + " is not a database of Rushes");
    throw;
  }
}

Statement& Connection::statement(std::string_view sql) {
  auto& cached = statements_[sql.data()];
  if (cached) {
    cached->rewind();
  } else {
    cached = std::make_unique<Statement>(database_.get(), sql);
  }
  return *cached;
}

void Connection::end_reads() {
  for (const auto& [sql, statement] : statements_) statement->reset();
}

void Connection::execute(const std::string& sql) {
  char* words = nullptr;
  errno = 0;
  const int failed = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, &words);
  const int system_errno = errno;
  const std::string message = words == nullptr ? "" : words;
  sqlite3_free(words);
  if (failed == SQLITE_OK) return;
  throw Failure(sqlite3_extended_errcode(database_.get()), "database: " + message, system_errno);
}

void Connection::set_lock_patience(std::chrono::milliseconds patience) {
  sqlite3_busy_timeout(database_.get(), static_cast<int>(patience.count()));
}

void Connection::offer(const char* table, const char* columns, const RowSource& rows) {
  const int code = offer_rows(database_.get(), table, columns, rows);
  if (code != SQLITE_OK) throw Failure(code, std::string("database: ") + sqlite3_errstr(code));
}

void Connection::set_page_cache(std::size_t bytes) { execute("PRAGMA cache_size=-" + std::to_string(bytes / 1024)); }

bool Connection::leave_syncs(bool left) { return sqlite::leave_syncs(database_.get(), left); }

void Connection::sync_log() { sync_with(sqlite::sync_log); }

void Connection::write_out_database() { sqlite::write_out_database(database_.get()); }

void Connection::sync_database() { sync_with(sqlite::sync_database); }

void Connection::sync_with(int (*sync)(sqlite3*)) {
  errno = 0;
  const int code = sync(database_.get());
  const int system_errno = errno;
  if (code != SQLITE_OK) throw Failure(code, std::string("database: ") + sqlite3_errstr(code), system_errno);
}

void Connection::reserve_log(std::size_t bytes) {
  int keep = 1;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  const std::string path = std::string(sqlite3_db_filename(database_.get(), "main")) + "-wal";
  const FileDescriptor log(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!log) return;  // it works without
  const std::vector<char> zeros(std::size_t{1} << 20U);
  // What SQLite finds behind the last frame is none of its own, and ends the log.
  for (auto at = ::lseek(log.get(), 0, SEEK_END); at >= 0 && static_cast<std::size_t>(at) < bytes;) {
    const auto written =
        ::pwrite(log.get(), zeros.data(), std::min(zeros.size(), bytes - static_cast<std::size_t>(at)), at);
    if (written <= 0) return;
    at += written;
  }
  ::fsync(log.get());
}

}  // namespace rushes::sqlite
