#pragma once
#include "jobs/job_queries.h"
#include "jobs/job_store.h"
#include "store_sqlite/live_jobs.h"

namespace rushes::store_sqlite {

/// What a job has made, saved, instead of `replaced`, which an earlier run of it has. Throws sqlite::Failure, as all of
/// these.
void save_analysis(sqlite::Connection& database, LiveJobs& live, const jobs::Job& job,
                   const std::optional<AuditId>& replaced, const jobs::Completion& completion, Timestamp now);

/// Errors: `not_found`, another user's too.
Result<jobs::Analysis> find_analysis(sqlite::Connection& database, const Lists& lists, const UserId& user,
                                     const AuditId& id);

void remove_analysis(sqlite::Connection& database, Lists& lists, const AuditId& id);

/// `list`: of analyses. For readers as for the writer.
jobs::HistoryPage read_history(sqlite::Connection& database, const UserList& list, const UserId& user,
                               const jobs::HistoryQuery& query);

}  // namespace rushes::store_sqlite
