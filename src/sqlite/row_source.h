#pragma once
#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rushes::sqlite {

/// Where a RowSource puts the value of one column; where it puts none, that is NULL.
class Cell {
 public:
  explicit Cell(sqlite3_context* context) : context_(context) {}
  void put(std::int64_t value) const { sqlite3_result_int64(context_, value); }
  /// Without a copy: the text stays where it is until the next row is asked for.
  void put(std::string_view text) const {
    const char* bytes = text.empty() ? "" : text.data();
    sqlite3_result_text64(context_, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }

 private:
  sqlite3_context* context_;
};

/// Rows in memory that the statements of one connection read as a table (see Connection::offer). To write many rows,
/// one `INSERT INTO jobs SELECT * FROM new_jobs` takes three quarters of the time of a statement for each.
///
/// Threads: its connection's.
/// Source:  https://www.sqlite.org/vtab.html
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual std::size_t size() const = 0;
  /// Puts what is in a column of a row, both counted from 0. Must not throw.
  virtual void give(std::size_t row, int column, const Cell& cell) const = 0;
};

/// What Connection::offer does. Gives SQLite's code.
int offer_rows(sqlite3* database, const char* table, const char* columns, const RowSource& rows);

}  // namespace rushes::sqlite
