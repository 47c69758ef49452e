#pragma once

namespace rushes::store_sqlite {

// What a submit writes and what happens to the job since are rows of their own: a submit is one short append with the
// text in it, which is never written again, and a transition writes a few numbers and words without reading them first.
// A job that nothing has happened to yet has no row in `job_states`. What few jobs have stands in tables of their own,
// where indexes of `jobs` would cost each of them.
inline constexpr const char* kStates = R"sql(
CREATE TABLE submitted_jobs (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
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
CREATE TABLE job_states (
  no INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  place INTEGER NOT NULL,
  progress INTEGER NOT NULL,
  stage TEXT NOT NULL,
  message TEXT NOT NULL,
  title TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL,
  restarted INTEGER NOT NULL,
  audit_id TEXT,
  failure_code TEXT,
  failure_message TEXT,
  processed_at INTEGER,
  finished_at INTEGER,
  run_at INTEGER NOT NULL,
  lease_token INTEGER NOT NULL,
  lease_expires_at INTEGER NOT NULL,
  position INTEGER NOT NULL,
  series INTEGER NOT NULL,
  last_seq INTEGER NOT NULL
);
CREATE TABLE job_keys (user_id TEXT NOT NULL, key TEXT NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (user_id, key))
  WITHOUT ROWID;
-- Of jobs that have not ended.
CREATE TABLE unique_keys (user_id TEXT NOT NULL, key TEXT NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (user_id, key))
  WITHOUT ROWID;
CREATE TABLE dead_jobs (no INTEGER PRIMARY KEY);
-- Several jobs may be about one upload: a retry is.
CREATE TABLE upload_jobs (upload TEXT NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (upload, no)) WITHOUT ROWID;
INSERT INTO submitted_jobs SELECT no, id, user_id, type, place, priority, stage, message, title, url, input, max_attempts,
  retry_of, created_at, run_at, position, idempotency_key, unique_key, first_seq, body
  FROM jobs LEFT JOIN job_bodies ON job_no = no ORDER BY no;
INSERT INTO job_states SELECT no, state, place, progress, stage, message, title, attempt, cancel_requested, restarted,
  audit_id, failure_code, failure_message, processed_at, finished_at, run_at, lease_token, lease_expires_at, position,
  series, last_seq FROM jobs ORDER BY no;
INSERT INTO job_keys SELECT user_id, idempotency_key, no FROM jobs WHERE idempotency_key IS NOT NULL;
INSERT INTO unique_keys SELECT user_id, unique_key, no FROM jobs WHERE unique_key IS NOT NULL AND state < 2;
INSERT INTO dead_jobs SELECT no FROM jobs WHERE state = 3 ORDER BY no;
INSERT INTO upload_jobs SELECT json_extract(input, '$.upload'), no FROM jobs
  WHERE type = 1 AND json_extract(input, '$.upload') IS NOT NULL;
DROP TABLE job_bodies;
DROP TABLE jobs;
CREATE VIEW jobs AS SELECT
  submitted.no AS no, id, user_id, type, ifnull(state, 0) AS state, ifnull(states.place, submitted.place) AS place,
  priority, ifnull(progress, 0) AS progress, ifnull(states.stage, submitted.stage) AS stage,
  ifnull(states.message, submitted.message) AS message, ifnull(states.title, submitted.title) AS title, url, input,
  ifnull(attempt, 0) AS attempt, max_attempts, ifnull(cancel_requested, 0) AS cancel_requested,
  ifnull(restarted, 0) AS restarted, retry_of, audit_id, failure_code, failure_message, created_at, processed_at,
  finished_at, ifnull(states.run_at, submitted.run_at) AS run_at, ifnull(lease_token, 0) AS lease_token,
  ifnull(lease_expires_at, 0) AS lease_expires_at, ifnull(states.position, submitted.position) AS position,
  ifnull(series, 0) AS series, idempotency_key, unique_key, first_seq, ifnull(last_seq, 0) AS last_seq, body
FROM submitted_jobs AS submitted LEFT JOIN job_states AS states ON states.no = submitted.no;
)sql";

}  // namespace rushes::store_sqlite
