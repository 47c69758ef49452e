#include "store_sqlite/migrations.h"

#include "store_sqlite/credentials_migration.h"
#include "store_sqlite/first_events_migration.h"
#include "store_sqlite/key_digests_migration.h"
#include "store_sqlite/runs_migration.h"
#include "store_sqlite/states_migration.h"
#include "store_sqlite/user_bytes_migration.h"
#include "store_sqlite/webhook_care_migration.h"

#include <array>

namespace rushes::store_sqlite {
namespace {

// Times are milliseconds since 1970. `state`, `type` and the like are the enums' numbers. `place`
// orders the waiting jobs of a user; `no` orders jobs by age. `jobs_waiting` holds all that the order
// asks for, `state` too: SQLite reads the rows otherwise.
constexpr const char* kFirst = R"sql(
CREATE TABLE jobs (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  state INTEGER NOT NULL,
  place INTEGER NOT NULL,
  progress INTEGER NOT NULL,
  stage TEXT NOT NULL,
  message TEXT NOT NULL,
  title TEXT NOT NULL,
  url TEXT NOT NULL,
  input TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  restarted INTEGER NOT NULL DEFAULT 0,
  retry_of TEXT,
  audit_id TEXT,
  failure_code TEXT,
  failure_message TEXT,
  created_at INTEGER NOT NULL,
  processed_at INTEGER,
  finished_at INTEGER,
  run_at INTEGER NOT NULL DEFAULT 0,
  lease_token INTEGER NOT NULL DEFAULT 0,
  lease_expires_at INTEGER NOT NULL DEFAULT 0,
  position INTEGER NOT NULL DEFAULT 0,
  position_told_at INTEGER NOT NULL DEFAULT 0,
  idempotency_key TEXT
);
CREATE INDEX jobs_of_user ON jobs (user_id, no);
CREATE INDEX jobs_waiting ON jobs (user_id, place, run_at, state) WHERE state = 0;
CREATE INDEX jobs_later ON jobs (run_at) WHERE state = 0 AND run_at > 0;
CREATE INDEX jobs_running ON jobs (user_id, lease_expires_at) WHERE state = 1;
CREATE INDEX jobs_ended ON jobs (finished_at) WHERE state = 2;
CREATE UNIQUE INDEX jobs_keyed ON jobs (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Since when a user waits for a turn: a number of the counter `place`, drawn when the user's queue
-- fills and again at each claim.
CREATE TABLE turns (user_id TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE job_bodies (job_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  payload TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE UNIQUE INDEX events_of_user ON events (user_id, seq);
CREATE TABLE event_numbers (user_id TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE analyses (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  job_id TEXT NOT NULL UNIQUE,
  type INTEGER NOT NULL,
  title TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  result TEXT NOT NULL
);
CREATE INDEX analyses_of_user ON analyses (user_id, created_at);

CREATE TABLE notifications (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  type INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  action_url TEXT NOT NULL,
  action_button_text TEXT NOT NULL,
  metadata TEXT NOT NULL,
  is_read INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);
CREATE INDEX notifications_of_user ON notifications (user_id, no);
CREATE INDEX notifications_unread ON notifications (user_id, no) WHERE is_read = 0;

-- Numbers that only grow: `lease` (fencing tokens), `place`, and `notices`, the last event filed.
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('lease', 0), ('place', 0), ('notices', 0);
)sql";

// Which log the events are: offsets that clients remember mean nothing to another one.
constexpr const char* kLogIdentity = R"sql(
CREATE TABLE event_log (identity TEXT NOT NULL);
INSERT INTO event_log VALUES (lower(hex(randomblob(32))));
)sql";

// The order of waiting jobs, leases and sequence numbers live in the writer's memory: what only they needed goes, and
// with it most of what a job costs on its way. Numbers are drawn by the writer too.
constexpr const char* kLiveOrder = R"sql(
DROP INDEX jobs_of_user;
DROP INDEX jobs_waiting;
DROP INDEX jobs_later;
DROP INDEX jobs_running;
DROP INDEX jobs_ended;
DROP INDEX jobs_keyed;
DROP INDEX events_of_user;
DROP TABLE turns;
ALTER TABLE jobs RENAME TO old_jobs;
CREATE TABLE jobs (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  state INTEGER NOT NULL,
  place INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  progress INTEGER NOT NULL,
  stage TEXT NOT NULL,
  message TEXT NOT NULL,
  title TEXT NOT NULL,
  url TEXT NOT NULL,
  input TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  restarted INTEGER NOT NULL DEFAULT 0,
  retry_of TEXT,
  audit_id TEXT,
  failure_code TEXT,
  failure_message TEXT,
  created_at INTEGER NOT NULL,
  processed_at INTEGER,
  finished_at INTEGER,
  run_at INTEGER NOT NULL DEFAULT 0,
  lease_token INTEGER NOT NULL DEFAULT 0,
  lease_expires_at INTEGER NOT NULL DEFAULT 0,
  position INTEGER NOT NULL DEFAULT 0,
  series INTEGER NOT NULL DEFAULT 0,
  idempotency_key TEXT
);
INSERT INTO jobs (no, id, user_id, type, state, place, priority, progress, stage, message, title, url, input, attempt,
  max_attempts, cancel_requested, restarted, retry_of, audit_id, failure_code, failure_message, created_at,
  processed_at, finished_at, run_at, lease_token, lease_expires_at, position, idempotency_key)
SELECT no, id, user_id, type, state, place, 0, progress, stage, message, title, url, input, attempt, max_attempts,
  cancel_requested, restarted, retry_of, audit_id, failure_code, failure_message, created_at, processed_at, finished_at,
  run_at, lease_token, lease_expires_at, position, idempotency_key FROM old_jobs;
DROP TABLE old_jobs;
CREATE INDEX jobs_of_user ON jobs (user_id, no);
CREATE INDEX jobs_unfinished ON jobs (state) WHERE state < 2;
CREATE UNIQUE INDEX jobs_keyed ON jobs (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

ALTER TABLE events RENAME TO old_events;
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  user_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  payload TEXT NOT NULL,
  at INTEGER NOT NULL
);
INSERT INTO events SELECT id, user_id, seq, job_id, type, payload, at FROM old_events;
DROP TABLE old_events;
CREATE UNIQUE INDEX events_of_user ON events (user_id, seq);

ALTER TABLE job_bodies RENAME TO old_bodies;
CREATE TABLE job_bodies (job_no INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO job_bodies SELECT jobs.no, old_bodies.body FROM old_bodies JOIN jobs ON jobs.id = old_bodies.job_id;
DROP TABLE old_bodies;

DROP INDEX analyses_of_user;
ALTER TABLE analyses RENAME TO old_analyses;
CREATE TABLE analyses (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  title TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  result TEXT NOT NULL
);
INSERT INTO analyses SELECT * FROM old_analyses;
DROP TABLE old_analyses;
CREATE INDEX analyses_of_user ON analyses (user_id, created_at);

CREATE INDEX jobs_dead ON jobs (state) WHERE state = 3;
-- Those that ended otherwise than well; of the others, the job tells.
CREATE TABLE attempts (
  job_no INTEGER NOT NULL,
  series INTEGER NOT NULL,
  number INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  stage TEXT NOT NULL,
  error_class INTEGER,
  code TEXT,
  message TEXT,
  log TEXT,
  PRIMARY KEY (job_no, series, number)
) WITHOUT ROWID;
CREATE TABLE checkpoints (
  job_no INTEGER NOT NULL,
  name TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (job_no, name)
) WITHOUT ROWID;
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  types TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  disabled_at INTEGER
);
CREATE INDEX webhooks_of_user ON webhooks (user_id);
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  webhook_id TEXT NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  last_answer TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (state, next_at);
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id);
-- Nobody has webhooks yet whom older ends could be told.
INSERT INTO counters SELECT 'webhooks', coalesce(max(id), 0) FROM events;
CREATE TABLE type_settings (type INTEGER PRIMARY KEY, paused INTEGER NOT NULL, max_running INTEGER);
-- Where a job's events lie among its user's: from first_seq (0: unknown) to last_seq (0: it has not ended).
ALTER TABLE jobs ADD COLUMN first_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN unique_key TEXT;
CREATE UNIQUE INDEX jobs_unique ON jobs (user_id, unique_key) WHERE unique_key IS NOT NULL AND state < 2;
-- Several jobs may be about one upload: a retry is.
CREATE INDEX jobs_of_upload ON jobs (json_extract(input, '$.upload')) WHERE type = 1;
)sql";

// Whose rows are whose; see user_list.h.
constexpr const char* kUserLists = R"sql(
CREATE TABLE user_jobs (user_id TEXT NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (user_id, no)) WITHOUT ROWID;
INSERT INTO user_jobs SELECT user_id, no FROM jobs ORDER BY user_id, no;
INSERT INTO counters SELECT 'jobs_listed', coalesce(max(no), 0) FROM jobs;
DROP INDEX jobs_of_user;
CREATE TABLE user_events (user_id TEXT NOT NULL, seq INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (user_id, seq))
  WITHOUT ROWID;
INSERT INTO user_events SELECT user_id, seq, id FROM events ORDER BY user_id, seq;
INSERT INTO counters SELECT 'events_listed', coalesce(max(id), 0) FROM events;
DROP INDEX events_of_user;
)sql";

constexpr const char* kSchedules = R"sql(
-- Recurring jobs. The body, which may be long, stands last: what reads the rest does not read it.
CREATE TABLE schedules (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  cron TEXT NOT NULL DEFAULT '',
  zone TEXT NOT NULL DEFAULT '',
  is_unique INTEGER NOT NULL DEFAULT 1,
  paused INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER,
  last_at INTEGER,
  last_skipped TEXT,
  last_job TEXT,
  type TEXT NOT NULL DEFAULT '',
  title TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL DEFAULT '',
  input TEXT NOT NULL DEFAULT '{}',
  unique_key TEXT NOT NULL DEFAULT '',
  priority INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  body TEXT NOT NULL DEFAULT ''
);
CREATE INDEX schedules_of_user ON schedules (user_id);
CREATE INDEX schedules_due ON schedules (next_at) WHERE paused = 0;
)sql";

// Which jobs have not ended; see unfinished_list.h.
constexpr const char* kUnfinishedList = R"sql(
CREATE TABLE unfinished_jobs (no INTEGER PRIMARY KEY);
INSERT INTO unfinished_jobs SELECT no FROM jobs WHERE state < 2 ORDER BY no;
INSERT INTO counters SELECT 'unfinished_listed', coalesce(max(no), 0) FROM jobs;
DROP INDEX jobs_unfinished;
)sql";

// With a number that VACUUM keeps, and whose they are in a list; see user_list.h. The results, which may be long, last.
constexpr const char* kAnalysesList = R"sql(
CREATE TABLE new_analyses (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  title TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  result TEXT NOT NULL
);
INSERT INTO new_analyses SELECT rowid, id, user_id, job_id, type, title, created_at, result FROM analyses ORDER BY rowid;
DROP TABLE analyses;
ALTER TABLE new_analyses RENAME TO analyses;
CREATE TABLE user_analyses (user_id TEXT NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (user_id, no)) WITHOUT ROWID;
INSERT INTO user_analyses SELECT user_id, no FROM analyses ORDER BY user_id, no;
INSERT INTO counters SELECT 'analyses_listed', coalesce(max(no), 0) FROM analyses;
)sql";

void keep_first_events_with_jobs(sqlite::Connection& database) {
  run_below_view(database, kFirstEventsTables);
  database.execute(kFirstEventsLog);
}

// From webhook to webhook with something pending, past what waits behind its first.
constexpr const char* kPendingOfWebhooks =
    "CREATE INDEX deliveries_pending ON deliveries (webhook_id, next_at) WHERE state = 0";

/// One step from a version to the next.
struct Migration {
  const char* sql;
  void (*code)(sqlite::Connection& database) = nullptr;  // instead
};

constexpr std::array<Migration, 15> kMigrations{{{kFirst},
                                                 {kLogIdentity},
                                                 {kLiveOrder},
                                                 {kUserLists},
                                                 {kSchedules},
                                                 {kUnfinishedList},
                                                 {kStates},
                                                 {kAnalysesList},
                                                 {nullptr, list_in_runs},
                                                 {nullptr, keep_first_events_with_jobs},
                                                 {kPendingOfWebhooks},
                                                 {kKeyDigests},
                                                 {kWebhookCare},
                                                 {kCredentials},
                                                 {kUserBytes}}};

}  // namespace

int newest_version() { return static_cast<int>(kMigrations.size()); }

int version_of(sqlite::Connection& connection) {
  auto& asked = connection.statement("PRAGMA user_version");
  asked.next();
  const auto version = static_cast<int>(asked.integer(0));
  asked.reset();
  return version;
}

void migrate(sqlite::Connection& connection, int upto) {
  for (auto step = static_cast<std::size_t>(version_of(connection)); step < static_cast<std::size_t>(upto); ++step) {
    connection.execute("BEGIN IMMEDIATE");
    const auto& [sql, code] = kMigrations[step];
    if (sql != nullptr) connection.execute(sql);
    if (code != nullptr) code(connection);
    connection.execute("PRAGMA user_version = " + std::to_string(step + 1));
    connection.execute("COMMIT");
  }
}

}  // namespace rushes::store_sqlite
