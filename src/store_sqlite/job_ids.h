#pragma once
#include "base/flat_map.h"
#include "base/id.h"
#include "sqlite/connection.h"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rushes::store_sqlite {

/// Which job has which id: the number of its row.
///
/// An index of the table of jobs would be a fifth of what a submit costs. Ids begin with the time, so jobs come nearly
/// in their order: some thousands are written at once, sorted, in runs of forty to a row, and until then remembered
/// here. One that comes late, as where the clock was set back, is put into the run where it belongs. A counter says up
/// to which job all are written: after a crash those behind it are read again.
///
/// Threads: the writer's, but `number_of`, which is thread-safe.
/// Errors:  throws sqlite::Failure.
class JobIds {
 public:
  /// Reads what is not written yet; writes once `batch` have gathered.
  JobIds(sqlite::Connection& database, std::size_t batch);

  /// With the row of the job, in the transaction under way. Throws where another job has the id.
  void add(sqlite::Connection& database, const JobId& id, std::int64_t number);
  /// With the row of the job, which is written here already. Gone from here with it.
  void remove(sqlite::Connection& database, const JobId& id) const;
  /// For any connection; of the jobs of a transaction under way too, whose rows others do not see.
  std::optional<std::int64_t> number_of(sqlite::Connection& database, const JobId& id) const;

  /// See UserList.
  void step(sqlite::Connection& database);
  bool hurry(sqlite::Connection& database, std::optional<std::int64_t>& upto);
  void committed();
  void rolled_back();
  void rolled_back_partly(sqlite::Connection& database);

 private:
  using Entry = std::pair<Uuid, std::int64_t>;

  std::optional<std::int64_t> number_of(sqlite::Connection& database, const Uuid& id) const;
  void start();
  void write(sqlite::Connection& database, std::size_t most);

  const std::size_t batch_;
  std::vector<Entry> added_;      // in the transaction under way
  std::size_t added_last_ = 0;    // in the one before
  std::int64_t last_number_ = 0;  // of all that were added
  std::int64_t written_ = 0;      // jobs up to here are written
  std::int64_t covered_ = 0;      // or about to be
  std::vector<Entry> due_;        // what is being written, sorted
  std::size_t next_ = 0;          // of due_
  std::size_t next_then_ = 0;     // after the commit
  std::optional<Uuid> highest_then_;

  mutable std::mutex mutex_;  // guards what follows, which the writer alone changes
  FlatMap<Uuid, std::int64_t> unwritten_;
  std::optional<Uuid> highest_;  // that is written
};

/// Jobs that are not found by their ids although they should be, of a database that nobody writes to; and runs that
/// are out of order.
std::vector<std::string> check_job_ids(sqlite::Connection& database);

/// Writes the ids of all jobs, where none is written.
void write_job_ids(sqlite::Connection& database);

}  // namespace rushes::store_sqlite
