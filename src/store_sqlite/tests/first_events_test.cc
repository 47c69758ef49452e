#include "store_sqlite/first_events.h"

#include "async/run.h"
#include "base/id.h"
#include "store_sqlite/event_rows.h"
#include "store_sqlite/maintenance.h"
#include "store_sqlite/migrations.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <vector>

namespace rushes::store_sqlite {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FirstEventsTest : public ::testing::Test {
 protected:
  FirstEventsTest() { listen(); }
  ~FirstEventsTest() override {
    store_->events().on_committed({});
    store_.close();
    const auto report = check_database(store_.file(), [](auto&&...) {}).value();
    EXPECT_THAT(report.problems, IsEmpty());
  }

  void listen() {
    store_->events().on_committed([this](std::span<const jobs::Event> events) {
      const std::lock_guard lock(mutex_);
      told_.insert(told_.end(), events.begin(), events.end());
    });
  }
  void reopen() {
    store_.reopen();
    listen();
  }
  jobs::NewJob new_job(const UserId& user = UserId("ann")) {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = user;
    return job;
  }
  jobs::Job submit(jobs::NewJob job) { return run_to_end(store_->jobs().submit(std::move(job), 1'000)).value().job; }
  void complete_next() {
    const auto lease = run_to_end(store_->jobs().claim(jobs::ClaimRequest())).value().at(0).lease;
    clock_.advance(20s);
    run_to_end(store_->jobs().complete(lease, {AuditId(new_uuid(clock_, rng_)), "", {}})).value();
  }
  std::vector<jobs::Event> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  /// Both ways to read it.
  std::vector<jobs::Event> log() { return run_to_end(store_->events().after(0, 1'000)).value(); }
  std::vector<jobs::Event> log_of(const std::string& user) {
    return run_to_end(store_->events().of_user_after(UserId(user), 0, 1'000)).value();
  }
  static std::vector<std::string> texts(const std::vector<jobs::Event>& events) {
    std::vector<std::string> texts;
    for (const auto& event : events) {
      texts.push_back(std::to_string(event.id) + ' ' + event.user.value() + ' ' + std::to_string(event.seq) + ' ' +
                      event.job.value() + ' ' + std::string(to_string(event.type)) + ' ' + event.payload + ' ' +
                      std::to_string(to_millis(event.at)));
    }
    return texts;
  }
  /// The readers of the log have all that there is.
  void follow_log() {
    sqlite::Connection(store_.file(), sqlite::Access::read_write)
        .execute("UPDATE counters SET value = 1000000 WHERE name IN ('notices', 'webhooks')");
  }
  int sweep(Task<Result<jobs::Swept>> (jobs::Housekeeping::*remove)(jobs::SweepOrder, jobs::SweepPlace),
            Timestamp before) {
    int removed = 0;
    for (jobs::SweepPlace place;;) {
      const auto swept = run_to_end((store_->housekeeping().*remove)({before, 0, 3}, place)).value();
      removed += swept.removed;
      if (swept.done) return removed;
      place = swept.next;
    }
  }
  std::int64_t number(const std::string& sql) {
    sqlite::Connection database(store_.file(), sqlite::Access::read_only);
    auto& row = database.statement(sql);
    row.next();
    return row.integer(0);
  }

  FakeClock clock_;
  SeededRng rng_{3};
  std::mutex mutex_;
  std::vector<jobs::Event> told_;  // under mutex_
  TemporaryStore store_{clock_};
};

TEST_F(FirstEventsTest, WhatIsReadIsWhatWasTold) {
  for (int i = 0; i < 5; ++i) {
    submit(new_job());
    complete_next();  // so that waits can be estimated
  }
  const auto first = submit(new_job());
  auto job = new_job();
  job.type = jobs::JobType::youtube;
  job.title = "Čtení \"and\" \n so on 🎬";
  job.url = "https://example.org/?a=1&b=\\";
  job.retry_of = first.id;
  job.body = std::string(20'000, 'x');
  submit(job);
  for (int i = 0; i < 9; ++i) submit(new_job(UserId("user " + std::to_string(i))));
  auto later = new_job();
  later.run_at = clock_.now() + 1h;
  later.title = "later";
  submit(later);

  const auto expected = texts(told());
  EXPECT_EQ(expected.size(), 27U);
  EXPECT_THAT(expected, ::testing::Contains(::testing::HasSubstr("estimatedWaitTime")));
  EXPECT_THAT(expected, ::testing::Contains(::testing::HasSubstr("Job scheduled for")));
  EXPECT_EQ(texts(log()), expected);
  EXPECT_EQ(number("SELECT count(*) FROM events"), 10) << "rows of their own have those alone that are no first ones";
  reopen();
  EXPECT_EQ(texts(log()), expected);
  std::vector<std::string> of_ann;
  for (const auto& event : told()) {
    if (event.user == UserId("ann")) of_ann.push_back(texts({event}).front());
  }
  EXPECT_EQ(texts(log_of("ann")), of_ann);
  const auto of_job = run_to_end(store_->events().of_job_after(UserId("ann"), job.id, 0, 10)).value();
  ASSERT_EQ(of_job.size(), 1U);
  EXPECT_TRUE(run_to_end(store_->events().has(UserId("ann"), of_job.front().id)).value());
  EXPECT_FALSE(run_to_end(store_->events().has(UserId("bob"), of_job.front().id)).value());
  EXPECT_EQ(run_to_end(store_->events().seq_at(UserId("ann"), of_job.front().id)).value(), of_job.front().seq);
}

TEST_F(FirstEventsTest, TheyAreSweptInTheirTurn) {
  submit(new_job(UserId("bob")));
  for (int i = 0; i < 4; ++i) submit(new_job());
  clock_.advance(1h);
  const auto border = clock_.now();
  submit(new_job());
  follow_log();
  const auto before = texts(log());

  EXPECT_EQ(sweep(&jobs::Housekeeping::remove_events, border), 4);

  EXPECT_THAT(texts(log()), ElementsAre(before[0], before[5])) << "bob's last one stays";
  EXPECT_THAT(texts(log_of("bob")), ElementsAre(before[0]));
  EXPECT_FALSE(run_to_end(store_->events().has(UserId("ann"), 2)).value());
  EXPECT_EQ(number("SELECT count(*) FROM submitted_jobs"), 6);
  EXPECT_EQ(sweep(&jobs::Housekeeping::remove_events, border), 0);
  reopen();
  EXPECT_THAT(texts(log()), ElementsAre(before[0], before[5]));
  submit(new_job(UserId("bob")));
  EXPECT_EQ(log_of("bob").back().seq, 2);
  follow_log();
  clock_.advance(1h);
  EXPECT_EQ(sweep(&jobs::Housekeeping::remove_events, clock_.now()), 1);
  EXPECT_THAT(log(), ::testing::SizeIs(2));
}

TEST_F(FirstEventsTest, WhatNobodyHasReadStays) {
  for (int i = 0; i < 4; ++i) submit(new_job());
  clock_.advance(1h);
  const auto before = texts(log());
  EXPECT_EQ(sweep(&jobs::Housekeeping::remove_events, clock_.now()), 0);
  EXPECT_EQ(texts(log()), before);
  EXPECT_EQ(number("SELECT count(*) FROM events"), 0);
}

TEST_F(FirstEventsTest, TheyStayWhereTheirJobsAreGone) {
  submit(new_job());
  complete_next();
  submit(new_job());
  clock_.advance(1h);
  const auto before = texts(log());
  EXPECT_EQ(sweep(&jobs::Housekeeping::remove_jobs, clock_.now()), 1);
  EXPECT_EQ(number("SELECT count(*) FROM submitted_jobs"), 1);
  EXPECT_EQ(texts(log()), before);
  EXPECT_EQ(texts(log_of("ann")), before);
}

TEST_F(FirstEventsTest, TheLogIsReadInItsOrderWithoutBeingSorted) {
  sqlite::Connection database(store_.file(), sqlite::Access::read_only);
  auto& plan = database.statement("EXPLAIN QUERY PLAN SELECT * FROM log WHERE id > 5 ORDER BY id LIMIT 10");
  std::vector<std::string> steps;
  while (plan.next()) steps.push_back(plan.text(3));
  EXPECT_THAT(steps, ::testing::Contains("SEARCH submitted_jobs USING INTEGER PRIMARY KEY (rowid>?)"));
  EXPECT_THAT(steps, ::testing::Each(::testing::Not(::testing::HasSubstr("B-TREE"))));
}

TEST_F(FirstEventsTest, APageOfTheLogDoesNotLookAtJobsWhoseEventsStandApart) {
  for (int i = 0; i < 300; ++i) submit(new_job());
  sqlite::Connection database(store_.file(), sqlite::Access::read_write);
  database.execute("INSERT INTO events SELECT id, user_id, seq, job_id, type, '{}', at FROM log WHERE id <= 290");
  database.execute("UPDATE counters SET value = 290 WHERE name = 'first_events_apart'");
  EXPECT_EQ(read_log(database, 0, 1'000, 3).size(), 3U);
  auto* statement = sqlite3_next_stmt(database.handle(), nullptr);
  for (; statement != nullptr; statement = sqlite3_next_stmt(database.handle(), statement)) {
    if (std::string_view(sqlite3_sql(statement)).find("LIMIT ?3") != std::string_view::npos) break;
  }
  ASSERT_NE(statement, nullptr);
  EXPECT_LT(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0), 200);
  EXPECT_EQ(read_log(database, 288, 1'000, 5).size(), 5U) << "over the border";
  EXPECT_EQ(read_log(database, 0, 295, 1'000).size(), 295U);
}

TEST_F(FirstEventsTest, AJobAndAnEventNeverHaveTheSameNumber) {
  submit(new_job());
  complete_next();
  submit(new_job());
  reopen();
  submit(new_job());
  complete_next();
  std::vector<std::int64_t> numbers;
  for (const auto& event : log()) numbers.push_back(event.id);
  EXPECT_THAT(numbers, ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(number("SELECT group_concat(no) = '1,4,5' FROM submitted_jobs"), 1);
}

}  // namespace
}  // namespace rushes::store_sqlite
