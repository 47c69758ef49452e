#pragma once
#include "store_sqlite/first_events.h"

namespace rushes::store_sqlite {

// See first_events.h. The rows of those jobs that there are stay where they are in the log.
inline constexpr const char* kFirstEventsTables = R"sql(
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
  estimated_wait INTEGER,
  body TEXT
);
INSERT INTO new_jobs SELECT no, id, user_id, type, place, priority, stage, message, title, url, input, max_attempts,
  retry_of, created_at, run_at, position, idempotency_key, unique_key, first_seq, NULL, body
  FROM submitted_jobs ORDER BY no;
DROP TABLE submitted_jobs;
ALTER TABLE new_jobs RENAME TO submitted_jobs;
)sql";

inline constexpr const char* kFirstEventsLog = R"sql(
INSERT INTO counters SELECT 'first_events_apart',
  max((SELECT coalesce(max(no), 0) FROM submitted_jobs), (SELECT coalesce(max(id), 0) FROM events));
-- The sign keeps the counter from being where a search by number begins. With columns of the same types on both sides
-- SQLite merges them by number, and sorts nothing.
CREATE VIEW log AS
  SELECT id, user_id, seq, job_id, type, payload, at FROM events
  UNION ALL
  SELECT no, user_id, first_seq, id, CAST(0 AS INTEGER), CAST(NULL AS TEXT), created_at FROM submitted_jobs
  WHERE +no > )sql" RUSHES_FIRST_EVENTS_APART;

}  // namespace rushes::store_sqlite
