#pragma once
#include "jobs/retry_policy.h"
#include "store_sqlite/job_rows.h"

#include <map>
#include <string>
#include <vector>

namespace rushes::store_sqlite {

// Attempts that did not complete, or whose job was restarted since, and what they left for the next. All throw
// sqlite::Failure.

/// The attempt of `row` that ended so; `failure`: where it failed.
void insert_attempt(sqlite::Connection& database, const Row& row, jobs::AttemptOutcome outcome,
                    const jobs::Failure* failure, Timestamp now);
/// How many attempts of the row's series failed for a reason of this class.
int count_failed(sqlite::Connection& database, const Row& row, jobs::ErrorClass error);
/// The same, for any reason.
int count_failed(sqlite::Connection& database, const Row& row);
/// Oldest first, with the one that runs or completed.
std::vector<jobs::Attempt> attempts_of(sqlite::Connection& database, const Row& row);

void save_checkpoint(sqlite::Connection& database, std::int64_t job, const std::string& name, const std::string& data);
std::map<std::string, std::string> checkpoints_of(sqlite::Connection& database, std::int64_t job);
void copy_checkpoints(sqlite::Connection& database, std::int64_t from, std::int64_t to);
void drop_checkpoints(sqlite::Connection& database, std::int64_t job);

}  // namespace rushes::store_sqlite
