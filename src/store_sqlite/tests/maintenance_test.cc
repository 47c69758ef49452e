#include "store_sqlite/maintenance.h"

#include "async/run.h"
#include "base/file.h"
#include "base/id.h"
#include "sqlite/connection.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>
#include <thread>

namespace rushes::store_sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MaintenanceTest : public ::testing::Test {
 protected:
  /// A completed, a failed, a cancelled, a restarted, a running and a waiting job.
  MaintenanceTest() {
    for (int i = 0; i < 6; ++i) submit();
    complete(claim());
    (void)run_to_end(store_->jobs().fail(claim(), jobs::Failure{"BAD", "bad", false, {}}, {})).value();
    (void)run_to_end(store_->jobs().cancel(UserId("ann"), ids_[5])).value();
    const auto again = claim();
    complete(again);
    (void)run_to_end(store_->jobs().restart(UserId("ann"), again.job, 100)).value();
    running_ = claim();
  }

  void submit() {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = UserId("ann");
    job.body = std::string(5'000, 'x');
    ids_.push_back(job.id);
    ASSERT_TRUE(run_to_end(store_->jobs().submit(job, 1'000)));
  }
  jobs::Lease claim() {
    clock_.advance(std::chrono::seconds(1));
    return run_to_end(store_->jobs().claim(jobs::ClaimRequest())).value().at(0).lease;
  }
  void complete(const jobs::Lease& lease) {
    jobs::Completion completion;
    completion.audit = AuditId(new_uuid(clock_, rng_));
    run_to_end(store_->jobs().complete(lease, completion)).value();
  }
  CheckReport check() { return check_database(store_.file(), silent_).value(); }
  void damage(const std::string& sql) {
    sqlite::Connection connection(store_.file(), sqlite::Access::read_write);
    connection.execute(sql);
  }
  static std::string identity(const std::filesystem::path& file) {
    sqlite::Connection connection(file, sqlite::Access::read_only);
    auto& row = connection.statement("SELECT identity FROM event_log");
    row.next();
    return row.text(0);
  }

  const Progress silent_ = [](std::int64_t, std::int64_t) {};
  FakeClock clock_;
  SeededRng rng_{5};
  TemporaryStore store_{clock_};
  std::vector<JobId> ids_;
  jobs::Lease running_;
};

TEST_F(MaintenanceTest, WhatTheStoreWritesIsSound) {
  const auto report = check();
  EXPECT_THAT(report.problems, ElementsAre());
  EXPECT_EQ(report.jobs, 6);
  EXPECT_EQ(report.unfinished, 3);
  EXPECT_EQ(report.analyses, 2);
  EXPECT_GT(report.events, 12);
}

TEST_F(MaintenanceTest, WhatIsWrongIsNamed) {
  const auto first = ids_[0].value();
  const std::vector<std::pair<std::string, std::string>> damages{
      {"DELETE FROM analyses", "its analysis is missing"},
      {"UPDATE submitted_jobs SET user_id = 'bob' WHERE id = '" + first + "'", "not of its user"},
      {"DELETE FROM events WHERE type > 2", "The last event of job"},
      {"DELETE FROM events WHERE job_id = '" + first + "' AND id > 2", "ended and nobody was told"},
      {"INSERT INTO events SELECT id + 1000, user_id, seq + 1000, job_id, type, payload, at FROM events"
       " WHERE type = 3",
       "ended more often"},
      {"INSERT INTO events SELECT id, user_id, seq, job_id, type, '{}', at FROM log WHERE id = 1",
       "Event 1 is another's, or stands twice in the log."},
      {"UPDATE events SET seq = 1000 WHERE seq = (SELECT min(seq) FROM events)",
       "The events of user ann are not in order."},
      {"UPDATE job_states SET state = 7 WHERE no = (SELECT no FROM jobs WHERE id = '" + first + "')",
       "Job " + first + " has a state that is none."},
      {"UPDATE job_states SET lease_token = 0 WHERE state = 1", "without a lease"},
      {"UPDATE job_states SET finished_at = NULL WHERE state = 2", "has ended at no time"},
      {"UPDATE counters SET value = 1000 WHERE name = 'unfinished_listed'", "is not in the list of those"},
      {"INSERT INTO unfinished_jobs SELECT no FROM jobs WHERE state = 2", "and has ended"},
      {"UPDATE job_states SET no = 77 WHERE state = 3", "The state of job number 77 is kept"},
      {"DELETE FROM dead_jobs", "has failed and is not in the list"},
      {"INSERT INTO dead_jobs VALUES (1)", "Job number 1 has failed and is not in the list of those, or the other"},
      {"UPDATE submitted_jobs SET idempotency_key = 'k' WHERE no = 1", "The idempotency key of job number 1"},
      {"INSERT INTO unique_keys SELECT user_id, 'k', no FROM jobs WHERE no = 1;"
       " UPDATE submitted_jobs SET unique_key = 'k' WHERE no = 1",
       "The unique key of job number 1"},
      {"UPDATE submitted_jobs SET type = 1, input = '{\"upload\":\"u\"}' WHERE no = 1", "The upload of job number 1"},
      {"INSERT INTO attempts (job_no, series, number, outcome, started_at, ended_at, stage)"
       " VALUES (78, 0, 1, 0, 0, 0, '')",
       "An attempt of job number 78 is kept"},
      {"UPDATE counters SET value = 1000 WHERE name = 'analyses_listed'", "is not in its user's list"},
      {"UPDATE user_bytes SET results = results + 1", "The bytes of user ann are not those of their uploads"},
      {"INSERT INTO user_events VALUES ('ann', 1000, '[[1000,1],[999,2]]')",
       "The list of the events of user ann is not in order."},
      {"INSERT INTO user_analyses VALUES ('ann', 80, '[80]')", "The list of user ann has an analysis that is gone"},
      {"UPDATE counters SET value = 1000 WHERE name = 'analysis_ids_listed'", "is not found by its id."},
      {"UPDATE counters SET value = 1000 WHERE name = 'ids_listed'", "Job " + first + " is not found by its id."},
      {"INSERT INTO checkpoints VALUES (79, 'speech', 'x')", "A checkpoint of job number 79 is kept"},
  };
  store_.close();
  const auto sound = store_.file().string() + ".sound";
  std::filesystem::copy_file(store_.file(), sound);
  for (const auto& [sql, words] : damages) {
    std::filesystem::copy_file(sound, store_.file(), std::filesystem::copy_options::overwrite_existing);
    damage(sql);
    const auto report = check();
    ASSERT_FALSE(report.problems.empty()) << sql;
    EXPECT_THAT(report.problems, ::testing::Contains(HasSubstr(words))) << sql;
  }
}

TEST_F(MaintenanceTest, ADamagedFileIsFound) {
  store_.close();
  {
    std::fstream file(store_.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3 * 4096);
    file << std::string(4096, '\x55');
  }
  const auto report = check_database(store_.file(), silent_);
  if (report) {
    EXPECT_THAT(report->problems.at(0), HasSubstr("The file is damaged"));
  } else {
    EXPECT_THAT(report.error().what(), HasSubstr("malformed"));
    EXPECT_THAT(report.error().what(), HasSubstr(store_.file().string()));
  }
}

TEST_F(MaintenanceTest, AFileThatCannotBeReadIsNamedWithWhatToDo) {
  store_.close();
  {
    std::fstream file(store_.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);  // behind the header: the schema's first page
    file << std::string(3'996, '\x55');
  }
  const auto checked = check_database(store_.file(), silent_);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().what(), HasSubstr("the database " + store_.file().string() + " is damaged"));
  EXPECT_THAT(checked.error().what(), HasSubstr("rushes db backup"));
}

TEST_F(MaintenanceTest, ADatabaseOfANewerVersionIsLeftAlone) {
  store_.close();
  damage("PRAGMA user_version = 99");
  const auto before = read_file(store_.file(), std::size_t{1} << 30U).value();
  const auto target = store_.file().parent_path() / "copy.db";
  const std::vector<Error> errors{check_database(store_.file(), silent_).error(),
                                  backup_database(store_.file(), target, false, silent_).error(),
                                  vacuum_database(store_.file(), silent_).error()};
  for (const auto& error : errors) {
    EXPECT_EQ(error.code(), Errc::conflict);
    EXPECT_THAT(error.what(), HasSubstr("has version 99"));
    EXPECT_THAT(error.what(), HasSubstr("use the newer Rushes"));
  }
  EXPECT_FALSE(std::filesystem::exists(target));
  EXPECT_EQ(read_file(store_.file(), std::size_t{1} << 30U).value(), before);

  damage("PRAGMA user_version = 1");
  EXPECT_THAT(check_database(store_.file(), silent_).error().what(), HasSubstr("start its server once"));
}

TEST_F(MaintenanceTest, ABackupIsTheDatabaseAndAnotherLog) {
  const auto target = store_.file().parent_path() / "copy.db";
  std::int64_t last = -1;
  const Progress progress = [&](std::int64_t done, std::int64_t of) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, of);
    last = done;
  };
  const auto report = backup_database(store_.file(), target, false, progress).value();
  EXPECT_GT(last, 0);
  EXPECT_EQ(report.check.jobs, 6);
  EXPECT_EQ(report.bytes, static_cast<std::int64_t>(std::filesystem::file_size(target)));
  EXPECT_NE(identity(target), identity(store_.file()));
  struct ::stat info {};
  ASSERT_EQ(::stat(target.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(target.string() + ".partial"));

  const auto again = backup_database(store_.file(), target, false, silent_);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().what(), HasSubstr("--force"));
  EXPECT_TRUE(backup_database(store_.file(), target, true, silent_));
  EXPECT_FALSE(backup_database(store_.file(), store_.file(), true, silent_)) << "onto itself";

  const auto opened = Store::open(target, StoreOptions(), clock_, rng_).value();
  EXPECT_EQ(run_to_end(opened->queries().body_of(UserId("ann"), ids_[0])).value().size(), 5'000U);
}

TEST_F(MaintenanceTest, ABackupComesToItsEndWhileTheStoreWrites) {
  for (int i = 0; i < 300; ++i) submit();
  std::atomic<bool> going = true;
  std::thread writing([&] {
    while (going) submit();
  });
  const auto target = store_.file().parent_path() / "copy.db";
  const auto report = backup_database(store_.file(), target, false, silent_);
  going = false;
  writing.join();
  ASSERT_TRUE(report) << report.error().what();
  EXPECT_GE(report->check.jobs, 306);
}

TEST_F(MaintenanceTest, VacuumNeedsTheDatabaseForItselfAndKeepsAllOfIt) {
  EXPECT_EQ(vacuum_database(store_.file(), silent_).error().code(), Errc::conflict);
  for (int i = 0; i < 200; ++i) submit();
  store_.close();
  damage("UPDATE submitted_jobs SET body = NULL WHERE no > 1");
  const auto before = identity(store_.file());
  const auto report = vacuum_database(store_.file(), silent_).value();
  EXPECT_LT(report.after, report.before / 2);
  EXPECT_EQ(identity(store_.file()), before);
  store_.reopen();
  EXPECT_EQ(check().jobs, 206);
  EXPECT_THAT(check().problems, ElementsAre());
  EXPECT_EQ(run_to_end(store_->queries().body_of(UserId("ann"), ids_[0])).value().size(), 5'000U);
}

}  // namespace
}  // namespace rushes::store_sqlite
