#include "store_sqlite/runs_migration.h"

#include "store_sqlite/id_list.h"
#include "store_sqlite/user_list.h"

namespace rushes::store_sqlite {
namespace {

// Without indexes by id.
constexpr const char* kTables = R"sql(
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
CREATE TABLE new_analyses (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  title TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  result TEXT NOT NULL
);
INSERT INTO new_analyses SELECT * FROM analyses ORDER BY no;
DROP TABLE analyses;
ALTER TABLE new_analyses RENAME TO analyses;
INSERT INTO counters SELECT 'ids_listed', coalesce(max(no), 0) FROM submitted_jobs;
INSERT INTO counters SELECT 'analysis_ids_listed', coalesce(max(no), 0) FROM analyses;
)sql";

// See user_list.h and id_list.h.
constexpr const char* kLists = R"sql(
ALTER TABLE user_jobs RENAME TO old_user_jobs;
ALTER TABLE user_events RENAME TO old_user_events;
ALTER TABLE user_analyses RENAME TO old_user_analyses;
CREATE TABLE user_jobs (user_id TEXT NOT NULL, first INTEGER NOT NULL, entries TEXT NOT NULL,
  PRIMARY KEY (user_id, first)) WITHOUT ROWID;
CREATE TABLE user_events (user_id TEXT NOT NULL, first INTEGER NOT NULL, entries TEXT NOT NULL,
  PRIMARY KEY (user_id, first)) WITHOUT ROWID;
CREATE TABLE user_analyses (user_id TEXT NOT NULL, first INTEGER NOT NULL, entries TEXT NOT NULL,
  PRIMARY KEY (user_id, first)) WITHOUT ROWID;
CREATE TABLE job_ids (first BLOB PRIMARY KEY, entries BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE analysis_ids (first BLOB PRIMARY KEY, entries BLOB NOT NULL) WITHOUT ROWID;
)sql";

}  // namespace

void list_in_runs(sqlite::Connection& database) {
  database.execute(kLists);
  write_list(database, kJobList, "SELECT user_id, no, no FROM old_user_jobs ORDER BY user_id, no");
  write_list(database, kEventList, "SELECT user_id, seq, id FROM old_user_events ORDER BY user_id, seq");
  write_list(database, kAnalysisList, "SELECT user_id, no, no FROM old_user_analyses ORDER BY user_id, no");
  database.execute("DROP TABLE old_user_jobs; DROP TABLE old_user_events; DROP TABLE old_user_analyses");

  write_ids(database, kJobIds, "SELECT id, no FROM submitted_jobs ORDER BY id");
  write_ids(database, kAnalysisIds, "SELECT id, no FROM analyses ORDER BY id");
  run_below_view(database, kTables);
}

void run_below_view(sqlite::Connection& database, const char* sql) {
  auto& view = database.statement("SELECT sql FROM sqlite_schema WHERE name = 'jobs'");
  view.next();
  const auto jobs = view.text(0);
  view.reset();
  database.execute("DROP VIEW jobs");
  database.execute(sql);
  database.execute(jobs);
}

}  // namespace rushes::store_sqlite
