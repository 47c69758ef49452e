#pragma once

namespace rushes::store_sqlite {

// Whose bytes are on the disk. `told`: the percentage of the quota that the user was last told to have reached.
// `file_bytes`: of an analysis' thumbnails and captions; unknown of those from before. Of uploads from before, the size
// stands in the job's input; those whose file is gone are removed by the first round of the housekeeping.
inline constexpr const char* kUserBytes = R"sql(
CREATE TABLE uploads (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX uploads_of_user ON uploads (user_id);
CREATE TABLE user_bytes (
  user_id TEXT PRIMARY KEY,
  uploads INTEGER NOT NULL,
  results INTEGER NOT NULL,
  told INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
ALTER TABLE analyses ADD COLUMN file_bytes INTEGER NOT NULL DEFAULT 0;
INSERT INTO uploads SELECT upload, user_id, ifnull(max(json_extract(input, '$.size')), 0)
  FROM upload_jobs JOIN submitted_jobs USING (no) GROUP BY upload;
INSERT INTO user_bytes (user_id, uploads, results)
  SELECT user_id, sum(uploads), sum(results) FROM (
    SELECT user_id, bytes AS uploads, 0 AS results FROM uploads
    UNION ALL SELECT user_id, 0, length(CAST(result AS BLOB)) FROM analyses) GROUP BY user_id;
)sql";

}  // namespace rushes::store_sqlite
