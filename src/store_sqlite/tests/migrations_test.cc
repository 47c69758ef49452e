#include "store_sqlite/migrations.h"

#include "store_sqlite/tests/temporary_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rushes::store_sqlite {
namespace {

constexpr int kBeforeStates = 6;
constexpr int kBeforeFirstEvents = 9;

/// All of a question's rows as text.
std::vector<std::string> rows_of(sqlite::Connection& database, std::string_view question, int columns) {
  std::vector<std::string> rows;
  auto& asked = database.statement(question);
  while (asked.next()) {
    std::string row;
    for (int i = 0; i < columns; ++i) row += asked.text(i) + '|';
    rows.push_back(std::move(row));
  }
  return rows;
}

/// An empty one as that version had it, in the store's folder.
sqlite::Connection older_database(TemporaryStore& store, int version) {
  store.close();
  sqlite::Connection database(store.file().parent_path() / "older.db", sqlite::Access::read_write);
  migrate(database, version);
  return database;
}

TEST(Migrations, JobsOfAnOlderDatabaseAreWhatTheyWere) {
  const FakeClock clock;
  TemporaryStore folder(clock);
  auto database = older_database(folder, kBeforeStates);
  database.execute(R"sql(
    INSERT INTO jobs (no, id, user_id, type, state, place, priority, progress, stage, message, title, url, input, attempt,
      max_attempts, retry_of, audit_id, failure_code, failure_message, created_at, processed_at, finished_at, position,
      idempotency_key, unique_key, first_seq, last_seq) VALUES
      (1, 'waits', 'ann', 2, 0, 1, 3, 0, 'queued', 'm1', 't1', 'u1', '{}', 0, 3, NULL, NULL, NULL, NULL, 10, NULL, NULL, 1,
        'once', 'alone', 1, 0),
      (2, 'runs', 'bob', 2, 1, 2, 0, 40, 's', 'm2', 't2', '', '{}', 1, 3, 'waits', NULL, NULL, NULL, 11, 21, NULL, 0,
        NULL, 'alone', 1, 0),
      (3, 'failed', 'ann', 1, 3, 3, 0, 60, 'failed', 'm3', 't3', '', '{"upload":"film","size":700}', 3, 3, NULL, NULL, 'BAD', 'bad',
        12, 22, 32, 0, NULL, 'alone', 2, 9),
      (4, 'done', 'ann', 1, 2, 4, 0, 100, 'completed', 'm4', 't4', '', '{"upload":"film"}', 1, 3, NULL, 'a', NULL, NULL,
        13, 23, 33, 0, NULL, NULL, 3, 7);
    INSERT INTO user_jobs VALUES ('ann', 1), ('bob', 2), ('ann', 3), ('ann', 4);
    INSERT INTO job_bodies VALUES (1, 'words'), (2, 'more words');
    INSERT INTO analyses (id, user_id, job_id, type, title, created_at, result) VALUES
      ('gone', 'ann', 'none', 2, 't', 30, '{}'), ('a', 'ann', 'done', 1, 't4', 33, '{"summary":"s"}'),
      ('b', 'bob', 'none', 2, 't5', 34, '{}');
    DELETE FROM analyses WHERE id = 'gone';
  )sql");
  constexpr std::string_view kAll =
      "SELECT no, id, user_id, type, state, place, priority, progress, stage, message, title, url, input, attempt,"
      " max_attempts, cancel_requested, restarted, retry_of, audit_id, failure_code, failure_message, created_at,"
      " processed_at, finished_at, run_at, lease_token, lease_expires_at, position, series, idempotency_key, "
      "unique_key,"
      " first_seq, last_seq FROM jobs ORDER BY no";
  const auto before = rows_of(database, kAll, 33);
  migrate(database);
  EXPECT_EQ(version_of(database), newest_version());
  EXPECT_EQ(rows_of(database, kAll, 33), before);
  EXPECT_THAT(rows_of(database, "SELECT no, body FROM jobs ORDER BY no", 2),
              ::testing::ElementsAre("1|words|", "2|more words|", "3||", "4||"));
  EXPECT_THAT(rows_of(database, "SELECT user_id, key, no FROM job_keys", 3), ::testing::ElementsAre("ann|once|1|"));
  EXPECT_THAT(rows_of(database, "SELECT user_id, key, no FROM unique_keys", 3),
              ::testing::ElementsAre("ann|alone|1|", "bob|alone|2|"));
  EXPECT_THAT(rows_of(database, "SELECT no FROM dead_jobs", 1), ::testing::ElementsAre("3|"));
  EXPECT_THAT(rows_of(database, "SELECT upload, no FROM upload_jobs", 2), ::testing::ElementsAre("film|3|", "film|4|"));
  EXPECT_THAT(rows_of(database, "SELECT no, id, user_id, job_id, type, title, created_at, result FROM analyses", 8),
              ::testing::ElementsAre(R"(2|a|ann|done|1|t4|33|{"summary":"s"}|)", "3|b|bob|none|2|t5|34|{}|"));
  // Charged with the sizes that are known.
  EXPECT_THAT(rows_of(database, "SELECT id, user_id, bytes FROM uploads", 3), ::testing::ElementsAre("film|ann|700|"));
  EXPECT_THAT(rows_of(database, "SELECT user_id, uploads, results, told FROM user_bytes", 4),
              ::testing::ElementsAre("ann|700|15|0|", "bob|0|2|0|"));
  EXPECT_THAT(rows_of(database, "SELECT user_id, first, entries FROM user_analyses", 3),
              ::testing::ElementsAre("ann|2|[2]|", "bob|3|[3]|"));
  EXPECT_THAT(rows_of(database, "SELECT user_id, first, entries FROM user_jobs", 3),
              ::testing::ElementsAre("ann|1|[1,3,4]|", "bob|2|[2]|"));
  EXPECT_THAT(rows_of(database, "SELECT value FROM counters WHERE name = 'analyses_listed'", 1),
              ::testing::ElementsAre("3|"));
}

TEST(Migrations, EventsOfAnOlderDatabaseStayAndNewNumbersComeBehindThem) {
  const FakeClock clock;
  TemporaryStore folder(clock);
  auto database = older_database(folder, kBeforeFirstEvents);
  database.execute(R"sql(
    INSERT INTO submitted_jobs VALUES (3, 'done', 'ann', 2, 3, 0, 'queued', 'm', 't', 'u', '{}', 3, NULL, 10, 0, 1, NULL, NULL,
      1, 'words');
    INSERT INTO events VALUES (7, 'ann', 1, 'done', 0, '{"a":1}', 10), (8, 'ann', 2, 'done', 1, '{"a":2}', 11);
  )sql");
  constexpr std::string_view kJob = "SELECT no, id, message, first_seq, body FROM jobs";
  const auto before = rows_of(database, kJob, 5);
  migrate(database);
  EXPECT_EQ(rows_of(database, kJob, 5), before);
  EXPECT_THAT(rows_of(database, "SELECT * FROM log ORDER BY id", 7),
              ::testing::ElementsAre(R"(7|ann|1|done|0|{"a":1}|10|)", R"(8|ann|2|done|1|{"a":2}|11|)"));
  EXPECT_THAT(rows_of(database, "SELECT value FROM counters WHERE name = 'first_events_apart'", 1),
              ::testing::ElementsAre("8|"));
}

}  // namespace
}  // namespace rushes::store_sqlite
