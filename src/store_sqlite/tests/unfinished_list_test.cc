#include "store_sqlite/unfinished_list.h"

#include "async/run.h"
#include "base/id.h"
#include "store_sqlite/maintenance.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

namespace rushes::store_sqlite {
namespace {

/// A store that lists a job once three newer ones were made.
class UnfinishedListTest : public ::testing::Test {
 protected:
  JobId submit() {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = user_;
    const auto submitted = run_to_end(store_->jobs().submit(job, 100'000)).value();
    return submitted.job.id;
  }
  std::optional<jobs::Lease> claim() {
    jobs::ClaimRequest request;
    request.limit = 1;
    auto claimed = run_to_end(store_->jobs().claim(request)).value();
    return claimed.empty() ? std::nullopt : std::optional(claimed.front().lease);
  }
  void complete(const jobs::Lease& lease) {
    run_to_end(store_->jobs().complete(lease, {AuditId(new_uuid(clock_, rng_)), "", {}})).value();
  }
  std::int64_t number(const std::string& sql) {
    sqlite::Connection database(store_.file(), sqlite::Access::read_only);
    auto& row = database.statement(sql);
    row.next();
    const auto value = row.integer(0);
    row.reset();
    return value;
  }
  void expect_sound() {
    store_.close();
    const auto report = check_database(store_.file(), [](auto&&...) {}).value();
    EXPECT_EQ(report.problems, std::vector<std::string>());
    store_.reopen();
  }

  FakeClock clock_;
  SeededRng rng_{4};
  const UserId user_{"ann"};
  TemporaryStore store_{clock_, StoreOptions{.list_batch = 3}};
};

TEST_F(UnfinishedListTest, WhatEndsSoonIsNeverListed) {
  for (int i = 0; i < 50; ++i) {
    submit();
    complete(*claim());
  }
  EXPECT_GT(number("SELECT value FROM counters WHERE name = 'unfinished_listed'"), 40);
  EXPECT_EQ(number("SELECT count(*) FROM unfinished_jobs"), 0);
  EXPECT_FALSE(claim());
}

TEST_F(UnfinishedListTest, AllThatWaitsAndRunsIsFoundAgain) {
  std::map<JobId, jobs::JobState> expected;
  const auto dice = [this](std::uint64_t n) { return rng_.next_u64() % n; };
  const auto any = [&] {
    return std::next(expected.begin(), static_cast<std::ptrdiff_t>(dice(expected.size())))->first;
  };
  for (int i = 0; i < 400; ++i) {
    const auto what = dice(10);
    if (what < 4 || expected.empty()) {
      expected[submit()] = jobs::JobState::pending;
    } else if (what < 6) {
      if (const auto lease = claim()) {
        expected[lease->job] = jobs::JobState::processing;
        if (dice(2) == 0) {
          complete(*lease);
          expected[lease->job] = jobs::JobState::completed;
        }
      }
    } else if (what < 8) {
      const auto id = any();
      if (expected[id] != jobs::JobState::pending) continue;
      run_to_end(store_->jobs().cancel(user_, id)).value();
      expected[id] = jobs::JobState::cancelled;
    } else {
      const auto id = any();
      if (run_to_end(store_->jobs().restart(user_, id, 100'000))) expected[id] = jobs::JobState::pending;
    }
    if (i % 50 == 49) expect_sound();
  }
  EXPECT_GT(number("SELECT count(*) FROM unfinished_jobs"), 0);
  const auto counts = run_to_end(store_->queries().report(0)).value();
  std::map<jobs::JobState, std::int64_t> found;
  for (const auto& [id, state] : expected) ++found[state];
  EXPECT_EQ(counts.types[static_cast<std::size_t>(jobs::JobType::transcript)].waiting, found[jobs::JobState::pending]);
  EXPECT_EQ(counts.types[static_cast<std::size_t>(jobs::JobType::transcript)].running,
            found[jobs::JobState::processing]);
  run_to_end(store_->jobs().take_over(true)).value();
  const auto open = found[jobs::JobState::pending] + found[jobs::JobState::processing];
  for (std::int64_t i = 0; i < open; ++i) complete(*claim());
  EXPECT_FALSE(claim());
  expect_sound();
  EXPECT_EQ(number("SELECT count(*) FROM jobs WHERE state < 2"), 0);
}

TEST_F(UnfinishedListTest, ItIsJobsThatAreCountedNotTheNumbersOfTheirEvents) {
  submit();
  const auto lease = claim();
  for (int percent = 11; percent < 80; ++percent) {
    run_to_end(store_->jobs().report(*lease, jobs::ProgressReport{percent, "s", "m", ""})).value();
  }
  for (int i = 0; i < 4; ++i) submit();
  EXPECT_EQ(number("SELECT count(*) FROM unfinished_jobs"), 0);
  EXPECT_GT(number("SELECT max(no) FROM submitted_jobs"), 60);
  for (int i = 0; i < 2; ++i) submit();
  EXPECT_GT(number("SELECT count(*) FROM unfinished_jobs"), 0);
  complete(*lease);
  expect_sound();
}

TEST_F(UnfinishedListTest, ANumberThatWasListedIsGivenToNoOtherJob) {
  for (int i = 0; i < 20; ++i) {
    submit();
    complete(*claim());
  }
  const auto listed = number("SELECT value FROM counters WHERE name = 'unfinished_listed'");
  store_.close();
  sqlite::Connection(store_.file(), sqlite::Access::read_write)
      .execute("DELETE FROM submitted_jobs; DELETE FROM job_states");
  store_.reopen();
  const auto id = submit();
  EXPECT_GT(number("SELECT max(no) FROM submitted_jobs"), listed);
  store_.reopen();
  const auto lease = claim();
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->job, id);
}

}  // namespace
}  // namespace rushes::store_sqlite
