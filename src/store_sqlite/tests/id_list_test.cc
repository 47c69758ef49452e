#include "store_sqlite/id_list.h"

#include "store_sqlite/migrations.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <random>

namespace rushes::store_sqlite {
namespace {

using ::testing::IsEmpty;

/// Ids of jobs, written four at a time.
class IdListTest : public ::testing::Test {
 protected:
  IdListTest() { reopen(); }

  /// As a new process would find it.
  void reopen() {
    ids_.reset();
    database_ = std::make_unique<sqlite::Connection>(folder_.database(), sqlite::Access::read_write);
    migrate(*database_);
    ids_ = std::make_unique<IdList>(kJobIds, *database_, 4);
  }

  /// The `n`-th in order.
  static std::string id(int n) {
    std::array<char, 37> text{};
    std::snprintf(text.data(), text.size(), "019a0000-%04x-7000-8000-00000000%04x", static_cast<unsigned>(n / 100),
                  static_cast<unsigned>(n));
    return text.data();
  }

  void add(int n, std::int64_t number) {
    database_->run(
        "INSERT INTO submitted_jobs (no, id, user_id, type, place, priority, stage, message, title, url, input,"
        " max_attempts, created_at, run_at, position, first_seq) VALUES (?, ?, 'ann', 0, 0, 0, '', '', '', '', '', 1, "
        "0,"
        " 0, 0, 0)",
        number, id(n));
    ids_->add(*database_, id(n), number);
  }
  /// A transaction that adds one job, and writes what is due.
  void commit(int n, std::int64_t number) {
    database_->execute("BEGIN");
    ids_->step(*database_);
    add(n, number);
    database_->execute("COMMIT");
    ids_->committed();
  }
  /// Writes all, and gives in how many transactions.
  int hurry() {
    std::optional<std::int64_t> upto;
    int steps = 0;
    for (bool more = true; more; ++steps) {
      database_->execute("BEGIN");
      more = ids_->hurry(*database_, upto);
      database_->execute("COMMIT");
      ids_->committed();
    }
    return steps;
  }
  std::int64_t number_of(int n) { return ids_->number_of(*database_, id(n)).value_or(0); }
  std::int64_t runs() {
    auto& row = database_->statement("SELECT count(*) FROM job_ids");
    row.next();
    const auto count = row.integer(0);
    row.reset();
    return count;
  }

  TemporaryFolder folder_;
  std::unique_ptr<sqlite::Connection> database_;
  std::unique_ptr<IdList> ids_;
};

TEST_F(IdListTest, AreFoundBeforeTheyAreWrittenAndAfterwards) {
  for (int n = 1; n <= 4; ++n) commit(10 * n, n);
  EXPECT_EQ(runs(), 0);
  EXPECT_EQ(number_of(10), 1);
  EXPECT_EQ(number_of(40), 4);
  commit(50, 5);
  EXPECT_EQ(runs(), 1);
  for (int n = 1; n <= 5; ++n) EXPECT_EQ(number_of(10 * n), n);
  for (const int none : {5, 15, 45, 55}) EXPECT_EQ(number_of(none), 0) << none;
  EXPECT_FALSE(ids_->number_of(*database_, "none"));
  EXPECT_THAT(find_unlisted(*database_, kJobIds), IsEmpty());
}

TEST_F(IdListTest, AreFoundInWhateverOrderTheyCome) {
  std::vector<int> order(500);
  std::iota(order.begin(), order.end(), 1);
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  for (std::size_t i = 0; i < order.size(); ++i) commit(order[i], static_cast<std::int64_t>(i) + 1);
  hurry();
  for (std::size_t i = 0; i < order.size(); ++i) ASSERT_EQ(number_of(order[i]), static_cast<std::int64_t>(i) + 1);
  EXPECT_LE(runs(), 80) << "late ones fill the runs that there are";
  EXPECT_THAT(find_unlisted(*database_, kJobIds), IsEmpty());
  reopen();
  for (std::size_t i = 0; i < order.size(); ++i) ASSERT_EQ(number_of(order[i]), static_cast<std::int64_t>(i) + 1);
}

TEST_F(IdListTest, WhatWasNotWrittenIsReadAgainByTheNextProcess) {
  for (int n = 1; n <= 6; ++n) commit(n, n);
  reopen();
  for (int n = 1; n <= 6; ++n) EXPECT_EQ(number_of(n), n);
  // As where it crashed between two steps of a batch.
  database_->execute("UPDATE counters SET value = 2 WHERE name = 'ids_listed'");
  reopen();
  EXPECT_EQ(hurry(), 2);
  for (int n = 1; n <= 6; ++n) EXPECT_EQ(number_of(n), n);
  EXPECT_THAT(find_unlisted(*database_, kJobIds), IsEmpty());
}

TEST_F(IdListTest, ATransactionThatDoesNotComeAboutWritesNothing) {
  for (int n = 1; n <= 4; ++n) commit(n, n);
  database_->execute("BEGIN");
  ids_->step(*database_);
  add(5, 5);
  database_->execute("ROLLBACK");
  ids_->rolled_back();
  EXPECT_EQ(number_of(5), 0);
  EXPECT_EQ(number_of(4), 4);
  commit(6, 5);
  EXPECT_EQ(runs(), 1);
  for (int n = 1; n <= 4; ++n) EXPECT_EQ(number_of(n), n);
  EXPECT_EQ(number_of(6), 5);
}

TEST_F(IdListTest, APartThatWasTakenBackIsForgotten) {
  database_->execute("BEGIN");
  add(1, 1);
  database_->execute("SAVEPOINT unit");
  add(2, 2);
  database_->execute("ROLLBACK TO unit");
  ids_->rolled_back_partly(*database_);
  EXPECT_EQ(number_of(1), 1);
  EXPECT_EQ(number_of(2), 0);
  database_->execute("COMMIT");
  ids_->committed();
  EXPECT_EQ(number_of(1), 1);
}

TEST_F(IdListTest, NoTwoJobsHaveOne) {
  commit(1, 1);
  EXPECT_THROW(ids_->add(*database_, id(1), 2), sqlite::Failure);
  hurry();
  EXPECT_THROW(ids_->add(*database_, id(1), 2), sqlite::Failure);
  EXPECT_THROW(ids_->add(*database_, "none", 2), std::invalid_argument);
}

TEST_F(IdListTest, ARemovedJobIsForgotten) {
  for (int n = 1; n <= 6; ++n) commit(n, n);
  hurry();
  for (const int n : {1, 3, 6}) ids_->remove(*database_, id(n));
  for (const int n : {1, 3, 6}) EXPECT_EQ(number_of(n), 0);
  for (const int n : {2, 4, 5}) EXPECT_EQ(number_of(n), n);
  for (const int n : {2, 4, 5}) ids_->remove(*database_, id(n));
  EXPECT_EQ(runs(), 0);
}

TEST_F(IdListTest, OneThatIsRemovedBeforeItIsWrittenNeverIs) {
  for (int n = 1; n <= 4; ++n) commit(n, n);
  const auto remove = [&](int n, const char* end) {
    database_->execute("BEGIN");
    ids_->step(*database_);
    ids_->remove(*database_, id(n));
    database_->run("DELETE FROM submitted_jobs WHERE no = ?", n);
    database_->execute(end);
  };
  remove(2, "ROLLBACK");
  ids_->rolled_back();
  EXPECT_EQ(number_of(2), 2);
  remove(3, "COMMIT");
  ids_->committed();
  EXPECT_EQ(number_of(3), 0);
  commit(5, 5);
  remove(5, "COMMIT");
  ids_->committed();
  EXPECT_EQ(number_of(5), 0);
  hurry();
  EXPECT_EQ(runs(), 1);
  for (const int n : {1, 2, 4}) EXPECT_EQ(number_of(n), n);
  for (const int n : {3, 5}) EXPECT_EQ(number_of(n), 0);
}

TEST_F(IdListTest, AnIdMayChangeItsRow) {
  for (int n = 1; n <= 4; ++n) commit(n, n);
  const auto replace = [&](std::int64_t number, std::int64_t by, const char* end) {
    database_->execute("BEGIN");
    ids_->step(*database_);
    ids_->remove(*database_, id(2));
    database_->run("DELETE FROM submitted_jobs WHERE no = ?", number);
    add(2, by);
    database_->execute(end);
  };
  replace(2, 5, "ROLLBACK");
  ids_->rolled_back();
  EXPECT_EQ(number_of(2), 2);
  replace(2, 5, "COMMIT");
  ids_->committed();
  EXPECT_EQ(number_of(2), 5);
  replace(5, 6, "COMMIT");
  ids_->committed();
  hurry();
  EXPECT_EQ(number_of(2), 6);
  replace(6, 7, "COMMIT");
  ids_->committed();
  EXPECT_EQ(number_of(2), 7);
  reopen();
  EXPECT_EQ(number_of(2), 7);
  EXPECT_EQ(number_of(4), 4);
}

TEST_F(IdListTest, WhatATransactionThatDoesNotComeAboutAddedAndRemovedIsAsBefore) {
  commit(1, 1);
  database_->execute("BEGIN");
  ids_->remove(*database_, id(1));
  database_->execute("DELETE FROM submitted_jobs");
  for (const std::int64_t number : {2, 3}) {
    add(1, number);
    ids_->remove(*database_, id(1));
    database_->execute("DELETE FROM submitted_jobs");
  }
  add(2, 4);
  ids_->remove(*database_, id(2));
  database_->execute("ROLLBACK");
  ids_->rolled_back();
  EXPECT_EQ(number_of(1), 1);
  EXPECT_EQ(number_of(2), 0);
}

TEST_F(IdListTest, WhereAllAreRemovedNothingIsLeftToWrite) {
  commit(1, 1);
  database_->execute("BEGIN");
  ids_->remove(*database_, id(1));
  database_->execute("DELETE FROM submitted_jobs; COMMIT");
  ids_->committed();
  EXPECT_EQ(hurry(), 2);
  EXPECT_EQ(runs(), 0);
}

TEST_F(IdListTest, OneThatIsMissingIsNamedByTheCheck) {
  for (int n = 1; n <= 3; ++n) commit(n, n);
  hurry();
  ids_->remove(*database_, id(2));
  EXPECT_THAT(find_unlisted(*database_, kJobIds), ::testing::ElementsAre(id(2)));
}

TEST_F(IdListTest, ThoseOfAnOlderDatabaseAreWritten) {
  for (int n = 1; n <= 100; ++n) commit(101 - n, n);
  database_->execute("DELETE FROM job_ids");
  write_ids(*database_, kJobIds, "SELECT id, no FROM submitted_jobs ORDER BY id");
  EXPECT_EQ(runs(), 3);
  for (int n = 1; n <= 100; ++n) ASSERT_EQ(number_of(101 - n), n);
}

}  // namespace
}  // namespace rushes::store_sqlite
