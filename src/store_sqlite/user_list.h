#pragma once
#include "base/flat_map.h"
#include "base/id.h"
#include "sqlite/connection.h"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rushes::store_sqlite {

/// One row of a user's: `place` orders it among theirs, `row` is its number in its table. Both rise together.
struct ListEntry {
  std::int64_t place = 0;
  std::int64_t row = 0;
};

/// Which rows of a table are whose, in the order in which they came.
///
/// An index by user would have each new row write a page of its own, far from the last one's: the larger the database,
/// the dearer. So a table of the users' lists takes new rows in batches, some of a user's to a row, a few at a time
/// within the transactions that come; until then they are remembered here. A counter says up to which row everything is
/// listed: after a crash the rows behind it are read again, and those that are in the list already do no harm.
///
/// Threads: the writer's, but `each` and `unlisted`, which are thread-safe.
/// Errors:  throws sqlite::Failure.
class UserList {
 public:
  /// How a list is kept: in a table with the columns user_id, first (a place) and entries. Those are a JSON array, of
  /// rows where these are the places too, else of pairs of place and row.
  struct Sql {
    const char* listed;    // gives the counter
    const char* rows;      // ?1: counter; user, place and row of those behind it, in the rows' order
    const char* has_row;   // ?1: row
    const char* find;      // ?1: user, ?2: place; first and entries of those that begin there or before, the last one
    const char* up;        // ?1: user, ?2: place, ?3: last place; entries of those that may have one in between
    const char* down;      // ?1: user, ?2: last place; entries of those that begin there or before, the last first
    const char* put;       // ?1: user, ?2: first, ?3: entries
    const char* drop;      // ?1: user, ?2: first
    const char* set_done;  // ?1: counter
    bool has_pairs;
    bool may_be_gone;  // before they are listed, which they never are then
  };

  /// Reads what is not listed yet.
  UserList(const Sql& sql, sqlite::Connection& database, std::size_t batch);

  /// With the row that this is about, in the transaction under way.
  void add(sqlite::Connection& database, const UserId& user, ListEntry entry);
  /// With the row, in the transaction under way. What is not listed yet stays remembered.
  void remove(sqlite::Connection& database, const UserId& user, std::int64_t place) const;
  /// The user's last, with the transaction under way.
  std::optional<ListEntry> last(sqlite::Connection& database, const UserId& user) const;
  /// Lists some within the transaction under way, where enough have gathered.
  void step(sqlite::Connection& database);
  /// The same, with however few, until all is listed that was there at first, which sets `upto`. True: not yet.
  bool hurry(sqlite::Connection& database, std::optional<std::int64_t>& upto);
  /// How the transaction ended, or that a part of it was taken back.
  void committed();
  void rolled_back();
  void rolled_back_partly(sqlite::Connection& database);

  enum class Direction : std::uint8_t { up, down };
  /// Gives those of the user's entries whose place is behind `after` and not behind `upto` to `take`, in their order or
  /// the other way round, for as long as it says true. The row of one may be gone. For any connection.
  void each(sqlite::Connection& database, const UserId& user, std::int64_t after, std::int64_t upto,
            Direction direction, const std::function<bool(const ListEntry&)>& take) const;
  /// Of those the ones that may not be listed yet, in order. Of a user with any, none before the first of them is
  /// missing in the list, and none behind it is in the list alone.
  std::vector<ListEntry> unlisted(const UserId& user, std::int64_t after, std::int64_t upto) const;

 private:
  using Entries = std::vector<ListEntry>;  // by place
  using Due = std::vector<std::pair<const UserId*, ListEntry>>;

  bool is_any_due_before(const UserId& user, std::int64_t place) const;
  void start();
  void list(sqlite::Connection& database, std::size_t most);
  void write(sqlite::Connection& database, const Due& due) const;

  const Sql sql_;
  const std::size_t batch_;

  struct Added {
    UserId user;
    ListEntry entry;
  };
  std::vector<Added> added_;    // in the transaction under way
  std::size_t added_last_ = 0;  // in the one before

  mutable std::mutex mutex_;
  FlatMap<UserId, Entries> unlisted_;  // changed under mutex_, by the writer alone
  std::size_t count_ = 0;              // in all of unlisted_
  std::int64_t last_row_ = 0;          // of all that were added

  std::int64_t listed_maybe_ = 0;  // rows up to here may be listed already, by a process before this one

  // The batch that is being listed.
  std::int64_t done_ = 0;      // rows up to here are listed
  std::int64_t covered_ = 0;   // or about to be
  std::vector<UserId> users_;  // sorted
  std::size_t next_ = 0;       // of users_
  bool listing_ = false;
  // What the transaction under way has listed.
  struct Listed {
    UserId user;
    std::size_t count = 0;
  };
  std::vector<Listed> listed_;
  std::size_t next_then_ = 0;  // after its commit
  bool done_then_ = false;
};

/// Makes the list of what `rows` gives: user, place and row, in the order of users and places.
void write_list(sqlite::Connection& database, const UserList::Sql& sql, std::string_view rows);

/// How each of them is kept.
extern const UserList::Sql kJobList;       // by number
extern const UserList::Sql kEventList;     // by sequence number
extern const UserList::Sql kAnalysisList;  // by number; some are gone before they are listed

}  // namespace rushes::store_sqlite
