#pragma once
#include "base/flat_map.h"
#include "base/id.h"
#include "sqlite/connection.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
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
/// the dearer. So a table of the users' lists takes new rows in batches, sorted by user, a few at a time within the
/// transactions that come; until then they are remembered here. A counter says up to which row everything is listed:
/// after a crash the rows behind it are read again, and those that are in the list already do no harm.
///
/// Threads: the writer's, but `unlisted`, which is thread-safe.
/// Errors:  throws sqlite::Failure.
class UserList {
 public:
  /// How a list is kept.
  struct Sql {
    const char* listed;       // gives the counter
    const char* rows;         // ?1: counter; user, place and row of those behind it, in the rows' order
    const char* has_row;      // ?1: row
    const char* last;         // ?1: user; place and row
    const char* insert;       // ?1: user, ?2: place, ?3: row; leaves alone what is there
    const char* insert_many;  // the same of kMany, if there is such a statement
    bool by_place;            // that takes their places too
    const char* set_done;     // ?1: counter
  };
  static constexpr std::size_t kMany = 16;

  /// Reads what is not listed yet.
  UserList(const Sql& sql, sqlite::Connection& database, std::size_t batch);

  /// With the row that this is about, in the transaction under way.
  void add(sqlite::Connection& database, const UserId& user, ListEntry entry);
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

  /// Of the user's that may not be listed yet, those from behind `after` up to `upto`, in order. To be asked for before
  /// the list is: what is listed in between is then in both. Of a user with any, none before the first of them is
  /// missing in the list.
  std::vector<ListEntry> unlisted(const UserId& user, std::int64_t after, std::int64_t upto) const;

 private:
  using Entries = std::vector<ListEntry>;  // by place
  using Due = std::vector<std::pair<const UserId*, ListEntry>>;

  void start();
  void list(sqlite::Connection& database, std::size_t most);
  void insert(sqlite::Connection& database, const Due& due) const;

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

/// How each of them is kept.
extern const UserList::Sql kJobList;       // by number
extern const UserList::Sql kEventList;     // by sequence number
extern const UserList::Sql kAnalysisList;  // by number; some are gone before they are listed

}  // namespace rushes::store_sqlite
