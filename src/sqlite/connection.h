#pragma once
#include "base/result.h"

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rushes::sqlite {

class RowSource;

/// What SQLite refused to do. Thrown inside a unit of work, turned into an Error at its edge.
class Failure : public std::runtime_error {
 public:
  /// `system_errno`: what the system said to SQLite; 0 where it was not asked.
  Failure(int code, const std::string& what, int system_errno = 0)
      : std::runtime_error(what), code_(code), system_errno_(system_errno) {}
  int code() const noexcept { return code_; }
  /// `unavailable`, and where it is the disk that refuses with words for users: DISK_FULL, DISK_READ_ONLY, DISK_FAILED.
  /// `conflict` where it is a constraint.
  Error to_error() const;

 private:
  int code_;
  int system_errno_;
};

/// Bytes that are no text.
struct Blob {
  std::string_view bytes;
};

/// A prepared statement: bind, step through the rows, done. Borrowed from its connection, which
/// resets it when it is asked for again.
///
/// Threads: single-owner, as its connection. Parameters and columns count from 0, in order; all are bound at once.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);

  template <class... Values>
  Statement& bind(const Values&... values) {
    int at = 0;
    (bind_one(++at, values, SQLITE_TRANSIENT), ...);
    all_bound(at);
    return *this;
  }
  /// Binds and runs to the end, without a copy of texts. Gives how many rows it changed.
  template <class... Values>
  int run_with(const Values&... values) {
    int at = 0;
    (bind_one(++at, values, SQLITE_STATIC), ...);
    all_bound(at);
    return run();
  }
  /// Binds one parameter, for those that are too many to name; a text without a copy: it is there until the statement
  /// has run. Who binds one binds all.
  template <class Value>
  void bind_at(int parameter, const Value& value) {
    bind_one(parameter + 1, value, SQLITE_STATIC);
  }
  /// Moves to the next row; false behind the last.
  bool next();
  /// Runs to the end and gives how many rows it changed.
  int run();

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string text(int column) const;  // or the bytes of a Blob
  bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  /// Lets go of the row that it stands on, and of what was bound.
  void reset();
  /// Ready to be bound anew.
  void rewind();

 private:
  using Life = sqlite3_destructor_type;  // how long a text that is bound lives
  void bind_one(int at, std::int64_t value, Life life);
  void bind_one(int at, int value, Life life) { bind_one(at, std::int64_t{value}, life); }
  void bind_one(int at, bool value, Life life) { bind_one(at, std::int64_t{value ? 1 : 0}, life); }
  void bind_one(int at, std::string_view value, Life life);
  void bind_one(int at, Blob value, Life life);
  void bind_one(int at, const std::string& value, Life life) { bind_one(at, std::string_view(value), life); }
  void bind_one(int at, const char* value, Life life) { bind_one(at, std::string_view(value), life); }
  void bind_one(int at, std::nullptr_t, Life life);
  template <class Value>
  void bind_one(int at, const std::optional<Value>& value, Life life) {
    if (value) {
      bind_one(at, *value, life);
    } else {
      bind_one(at, nullptr, life);
    }
  }
  /// Throws where there are more parameters: they would have what was bound before.
  void all_bound(int count) const;
  [[noreturn]] void fail(int code) const;

  std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement_;
  bool stands_ = false;  // on a row
};

enum class Access : std::uint8_t { read_write, read_only };

/// One connection to a database file, in WAL mode, each commit synced to the disk. Its SQL knows
/// `fold(text)`, see fold.h.
///
/// Threads: single-owner. Errors: throws Failure.
class Connection {
 public:
  Connection(const std::filesystem::path& file, Access access);

  /// The cached statement for `sql`, ready to bind. `sql` is a literal: it is the cache's key.
  Statement& statement(std::string_view sql);
  /// Resets what was not stepped to its end: a statement that stands on a row holds its snapshot of the database,
  /// so that later questions of this connection would not see what was written since.
  void end_reads();
  /// Runs statements without results or parameters.
  void execute(const std::string& sql);

  /// Bind, run, and how many rows changed.
  template <class... Values>
  int run(std::string_view sql, const Values&... values) {
    return statement(sql).run_with(values...);
  }

  /// Has this connection's statements read the rows as a table of that name and those columns (`a, b`). They stay where
  /// they are as long as the connection.
  void offer(const char* table, const char* columns, const RowSource& rows);

  /// Gives the write-ahead log's file `bytes` in advance, and keeps it when the last connection closes: a commit that
  /// writes over what is there takes a sync a fraction of the time of one that makes the file longer.
  void reserve_log(std::size_t bytes);

  /// Whether the commits from now on return before their sync: they are durable after the next `sync_log`, of any
  /// connection of this process. Not within a transaction. Gives whether it is so.
  bool leave_syncs(bool left);
  /// Makes durable what was committed so. Throws where the disk refuses: the commits stand, and it may be tried again.
  void sync_log();
  /// Has the system begin to write out what checkpoints have copied to the database. Then, makes it durable: so that
  /// the checkpoint that ends the log has less to wait for.
  void write_out_database();
  void sync_database();

  /// How long a statement waits for what another connection has locked.
  static constexpr std::chrono::milliseconds kLockPatience{5'000};
  void set_lock_patience(std::chrono::milliseconds patience);

  /// How much it keeps in memory of the pages that it has read or written.
  static constexpr std::size_t kPageCache = std::size_t{4} << 20U;
  void set_page_cache(std::size_t bytes);

  sqlite3* handle() noexcept { return database_.get(); }
  bool in_transaction() const noexcept { return sqlite3_get_autocommit(database_.get()) == 0; }

 private:
  void sync_with(int (*sync)(sqlite3*));

  std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)> database_;
  std::unordered_map<const char*, std::unique_ptr<Statement>> statements_;  // by the literal's place
};

}  // namespace rushes::sqlite
