#pragma once
#include "base/flat_map.h"
#include "base/id.h"
#include "sqlite/connection.h"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rushes::store_sqlite {

/// Which row of a table has which id.
///
/// An index would be a fifth of what a submit costs. Ids begin with the time, so rows come nearly in their order: some
/// thousands are written at once, sorted, in runs of forty to a row, and until then remembered here. One that comes
/// late, as where the clock was set back, is put into the run where it belongs. A counter says up to which row all are
/// written: after a crash those behind it are read again.
///
/// Threads: the writer's, but `number_of`, which is thread-safe.
/// Errors:  throws sqlite::Failure.
class IdList {
 public:
  /// How it is kept: in a table with the columns first (an id) and entries (ids and numbers, 24 bytes each).
  struct Sql {
    const char* counter;      // gives it
    const char* rows;         // ?1: counter; id and number of the rows behind it, in the order of their numbers
    const char* listed_rows;  // id and number of the others
    const char* has_row;      // ?1: number
    const char* find;         // ?1: id; first and entries of those that begin there or before, the last one
    const char* put;          // ?1: first, ?2: entries
    const char* drop;         // ?1: first
    const char* set_counter;  // ?1: counter
  };

  /// Reads what is not written yet; writes once `batch` have gathered.
  IdList(const Sql& sql, sqlite::Connection& database, std::size_t batch);

  /// With the row, in the transaction under way. Throws where another row has the id.
  void add(sqlite::Connection& database, const std::string& id, std::int64_t number);
  /// With the row, in the transaction under way.
  void remove(sqlite::Connection& database, const std::string& id);
  /// The row's number. For any connection; of the rows of a transaction under way too, which others do not see, and
  /// for a moment of one that is gone.
  std::optional<std::int64_t> number_of(sqlite::Connection& database, const std::string& id) const;

  /// See UserList.
  void step(sqlite::Connection& database);
  bool hurry(sqlite::Connection& database, std::optional<std::int64_t>& upto);
  void committed();
  void rolled_back();
  void rolled_back_partly(sqlite::Connection& database);

 private:
  using Entry = std::pair<Uuid, std::int64_t>;

  std::optional<std::int64_t> number_of(sqlite::Connection& database, const Uuid& id) const;
  /// Under mutex_.
  void forget(const Entry& entry);
  void start();
  void write(sqlite::Connection& database, std::size_t most);

  const Sql sql_;
  const std::size_t batch_;
  std::vector<Entry> added_;      // in the transaction under way
  std::vector<Entry> removed_;    // by it, of those that are not written
  std::size_t added_last_ = 0;    // in the one before
  std::int64_t last_number_ = 0;  // of all that were added
  std::int64_t written_ = 0;      // jobs up to here are written
  std::int64_t covered_ = 0;      // or about to be
  std::vector<Entry> due_;        // what is being written, sorted
  std::size_t next_ = 0;          // of due_
  std::size_t next_then_ = 0;     // after the commit
  std::optional<Uuid> highest_then_;
  bool done_then_ = false;

  mutable std::mutex mutex_;  // guards what follows, which the writer alone changes
  FlatMap<Uuid, std::int64_t> unwritten_;
  std::optional<Uuid> highest_;  // that is written
};

/// Ids of rows that are not found although they should be, some of them, of a database that nobody writes to.
std::vector<std::string> find_unlisted(sqlite::Connection& database, const IdList::Sql& sql);

/// Writes the ids of the rows that `rows` gives: id and number, in the order of the ids.
void write_ids(sqlite::Connection& database, const IdList::Sql& sql, std::string_view rows);

/// How each of them is kept.
extern const IdList::Sql kJobIds;
extern const IdList::Sql kAnalysisIds;

}  // namespace rushes::store_sqlite
