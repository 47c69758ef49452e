#include "store_sqlite/job_ids_migration.h"

#include "store_sqlite/job_ids.h"

namespace rushes::store_sqlite {
namespace {

// Which job has which id; see job_ids.h.
constexpr const char* kJobIds = R"sql(
CREATE TABLE new_jobs (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  place INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  stage TEXT NOT NULL,
  message TEXT NOT NULL,
  title TEXT NOT NULL,
  url TEXT NOT NULL,
  input TEXT NOT NULL,
  max_attempts INTEGER NOT NULL,
  retry_of TEXT,
  created_at INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  position INTEGER NOT NULL,
  idempotency_key TEXT,
  unique_key TEXT,
  first_seq INTEGER NOT NULL,
  body TEXT
);
INSERT INTO new_jobs SELECT * FROM submitted_jobs ORDER BY no;
DROP TABLE submitted_jobs;
ALTER TABLE new_jobs RENAME TO submitted_jobs;
INSERT INTO counters SELECT 'ids_listed', coalesce(max(no), 0) FROM submitted_jobs;
)sql";

}  // namespace

void list_job_ids(sqlite::Connection& database) {
  database.execute("CREATE TABLE job_id_runs (first BLOB PRIMARY KEY, entries BLOB NOT NULL) WITHOUT ROWID");
  write_job_ids(database);
  // A view is in the way of renaming what it looks at.
  auto& view = database.statement("SELECT sql FROM sqlite_schema WHERE name = 'jobs'");
  view.next();
  const auto jobs = view.text(0);
  view.reset();
  database.execute("DROP VIEW jobs");
  database.execute(kJobIds);
  database.execute(jobs);
}

}  // namespace rushes::store_sqlite
