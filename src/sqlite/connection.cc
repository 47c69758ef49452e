#include "sqlite/connection.h"

#include "sqlite/fold.h"

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
      return Error::for_user(Errc::unavailable, "DISK_FULL", "The server's disk is full; try again later.");
    case SQLITE_READONLY:
    case SQLITE_IOERR:
      return Error(Errc::unavailable, std::string("the database cannot be written: ") + what());
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
  auto* database = sqlite3_db_handle(statement_.get());
  const std::string words = sqlite3_errmsg(database);
  sqlite3_reset(statement_.get());
  throw Failure(code, "database: " + words);
}

bool Statement::next() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
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
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

void Statement::bind_one(int at, std::int64_t value) {
  if (const int failed = sqlite3_bind_int64(statement_.get(), at, value); failed != SQLITE_OK) fail(failed);
}

void Statement::bind_one(int at, std::string_view value) {
  // An empty view may point to nothing, which SQLite would store as NULL.
  const char* bytes = value.empty() ? "" : value.data();
  if (const int failed = sqlite3_bind_text64(statement_.get(), at, bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
      failed != SQLITE_OK) {
    fail(failed);
  }
}

void Statement::bind_one(int at, std::nullptr_t) {
  if (const int failed = sqlite3_bind_null(statement_.get(), at); failed != SQLITE_OK) fail(failed);
}

Connection::Connection(const std::filesystem::path& file, Access access) : database_(nullptr, &sqlite3_close_v2) {
  const int flags = (access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                    SQLITE_OPEN_NOMUTEX;
  sqlite3* opened = nullptr;
  const int failed = sqlite3_open_v2(file.c_str(), &opened, flags, nullptr);
  database_.reset(opened);
  if (failed != SQLITE_OK) {
    throw Failure(failed, "cannot open the database " + file.string() + ": " + sqlite3_errstr(failed));
  }
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, 5000);
  sqlite3_create_function_v2(opened, "fold", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, fold, nullptr, nullptr,
                             nullptr);
  try {
    execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-4096");
  } catch (const Failure& error) {
    if (error.code() == SQLITE_NOTADB) throw Failure(SQLITE_NOTADB, file.string() + " is not a database of Rushes");
    throw;
  }
}

Statement& Connection::statement(std::string_view sql) {
  auto& cached = statements_[sql];
  if (cached) {
    cached->reset();
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
  const int failed = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, &words);
  const std::string message = words == nullptr ? "" : words;
  sqlite3_free(words);
  if (failed != SQLITE_OK) throw Failure(sqlite3_extended_errcode(database_.get()), "database: " + message);
}

}  // namespace rushes::sqlite
