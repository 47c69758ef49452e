#pragma once
#include "jobs/event.h"
#include "sqlite/connection.h"
#include "store_sqlite/staged_rows.h"

#include <utility>
#include <vector>

namespace rushes::store_sqlite {

/// What a unit of work writes with. What every job has on its way is staged, to be written together; the rest is
/// written at once.
///
/// Threads: the writer's. Errors: throws sqlite::Failure.
class Transaction {
 public:
  Transaction(sqlite::Connection& connection, StagedRows& staged, std::vector<jobs::Event>& told)
      : connection_(connection), staged_(staged), told_(told) {}

  /// With all that was staged.
  sqlite::Connection& database() {
    staged_.write(connection_, told_);
    return connection_;
  }
  /// With all of this job.
  sqlite::Connection& database_with(std::int64_t job) { return staged_.has_job(job) ? database() : connection_; }
  /// For what has nothing to do with that.
  sqlite::Connection& without_staged() { return connection_; }

  /// Adds a job, and its first event. `request` stays where it is until the unit is done with.
  void add(const Row& row, const jobs::NewJob& request, std::optional<int> estimated_wait) {
    staged_.add(row, request, estimated_wait);
  }
  /// Sets what transitions and the store change of a job.
  void set_state(const Row& row) { staged_.set_state(row); }
  /// Puts a job into the list of those that have not ended, or takes it out.
  void list_unfinished(std::int64_t job) { staged_.list_unfinished(job); }
  void unlist_ended(std::int64_t job) { staged_.unlist_ended(job); }
  /// Told to the listener once the whole batch is durable.
  void tell(jobs::Event event) { told_.push_back(std::move(event)); }
  /// The same of one that belongs in the log.
  void log(jobs::Event event) {
    staged_.add_told(told_.size());
    tell(std::move(event));
  }
  /// Into the log, of one that was told before.
  void file(jobs::Event event) { staged_.add_event(std::move(event)); }
  /// What was written stays although the unit returns an error: the error tells how it went on.
  void keep_despite_error() noexcept { keep_ = true; }
  bool keeps_despite_error() const noexcept { return keep_; }

 private:
  sqlite::Connection& connection_;
  StagedRows& staged_;
  std::vector<jobs::Event>& told_;  // by all units of the transaction
  bool keep_ = false;
};

}  // namespace rushes::store_sqlite
