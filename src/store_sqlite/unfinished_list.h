#pragma once
#include "sqlite/connection.h"

#include <cstdint>
#include <vector>

// To select from: the jobs that have not ended, and others. Its parameter: UnfinishedList::upto. SQLite runs through
// one half after the other, each by its numbers, so that the oldest come first; an ORDER BY would sort them all.
#define RUSHES_MAYBE_UNFINISHED                                                                      \
  "(SELECT no AS listed FROM unfinished_jobs UNION ALL SELECT no FROM submitted_jobs WHERE no > ?1)" \
  " CROSS JOIN jobs ON jobs.no = listed"

namespace rushes::store_sqlite {

class Transaction;

/// The jobs that have not ended, but the newest: what a server that starts reads instead of the whole table of jobs.
/// A job comes into it once `lag` newer ones were made, by when most have ended, and leaves it when it ends. So a job
/// that is done soon costs it nothing, where an index would take it in and out.
///
/// Threads:  the writer's. What it does belongs to the transaction under way: to be read anew where that failed.
/// Errors:   throws sqlite::Failure.
class UnfinishedList {
 public:
  explicit UnfinishedList(std::int64_t lag) : lag_(lag) {}

  void load(sqlite::Connection& database);
  /// Lists what is due, at the beginning of a transaction.
  void step(Transaction& transaction);
  /// A new job, whose number is above all others'.
  void added(std::int64_t number) { set(number, true); }
  void ended(Transaction& transaction, std::int64_t number);
  void begun_anew(Transaction& transaction, std::int64_t number);
  /// Jobs with higher numbers are not in it, whatever their state.
  std::int64_t upto() const noexcept { return upto_; }

 private:
  void set(std::int64_t number, bool unfinished);

  struct Newer {
    std::int64_t number = 0;
    bool unfinished = false;
  };

  const std::int64_t lag_;
  std::int64_t upto_ = 0;
  std::vector<Newer>
      newer_;  // jobs above upto_ by number, those in between that had ended before it was loaded left out
};

}  // namespace rushes::store_sqlite
