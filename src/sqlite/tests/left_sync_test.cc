// Commits whose sync is left to later: see wal_vfs.h.
#include "sqlite/tests/log_tail_fixture.h"

#include <atomic>
#include <future>
#include <memory>
#include <numeric>
#include <thread>

namespace rushes::sqlite {
namespace {

class LeftSyncTest : public LogTest {
 protected:
  LeftSyncTest() {
    writer_ = std::make_unique<Connection>(database(), Access::read_write);
    writer_->execute("PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (a, b)");
    other_ = std::make_unique<Connection>(database(), Access::read_write);
    other_->execute("PRAGMA schema_version");  // opens its handle of the log
    faults_.lose_unsynced(Lost::all);
    EXPECT_TRUE(writer_->leave_syncs(true));
  }

  std::int64_t syncs() const { return faults_.count(DiskOperation::sync); }
  void fail_a_sync(Connection& connection) {
    faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
    EXPECT_THROW(connection.sync_log(), Failure);
  }
  /// Of a transaction of which the cache does not hold the half: its pages are in the log before it ends, and some are
  /// written over there.
  void change_more_than_the_cache_holds() {
    writer_->execute("PRAGMA cache_size = 5");
    writer_->execute("BEGIN");
    for (int i = 0; i < 60; ++i) {
      insert(*writer_, i);
      // The first page again and again.
      writer_->run("UPDATE t SET b = ? WHERE rowid = (SELECT min(rowid) FROM t)",
                   std::string(3'000, static_cast<char>('a' + i % 26)));
      writer_->run("UPDATE t SET a = a WHERE rowid % 7 = 0");
    }
  }
  static Values upto(int count) {
    Values all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  std::unique_ptr<Connection> writer_;
  std::unique_ptr<Connection> other_;
};

TEST_F(LeftSyncTest, ACommitIsSeenAtOnceAndDurableAfterTheNextSync) {
  const auto before = syncs();
  insert(*writer_, 0);
  insert(*writer_, 1);
  EXPECT_EQ(syncs(), before);
  EXPECT_EQ(values(*other_), upto(2));
  EXPECT_EQ(durable(), Values{});
  other_->sync_log();
  EXPECT_EQ(syncs(), before + 1);
  EXPECT_EQ(durable(), upto(2));
}

TEST_F(LeftSyncTest, WithoutASyncThePowerTakesTheCommitAndNoneBefore) {
  EXPECT_FALSE(writer_->leave_syncs(false));
  insert(*writer_, 0);
  EXPECT_TRUE(writer_->leave_syncs(true));
  insert(*writer_, 1);
  EXPECT_EQ(durable(), upto(1));
  EXPECT_FALSE(writer_->leave_syncs(false));
  insert(*writer_, 2);  // its own sync is that of the one before too
  EXPECT_EQ(durable(), upto(3));
}

TEST_F(LeftSyncTest, AFailedSyncLosesNothingOnceALaterOneSucceeds) {
  insert(*writer_, 0);
  fail_a_sync(*other_);
  insert(*writer_, 1);
  fail_a_sync(*other_);
  EXPECT_EQ(durable(), Values{});
  EXPECT_EQ(values(*writer_), upto(2));
  Connection reader(database(), Access::read_only);  // with nothing in its cache
  EXPECT_EQ(values(reader), upto(2));
  other_->sync_log();
  EXPECT_EQ(durable(), upto(2));
  insert(*writer_, 2);
  other_->sync_log();
  EXPECT_EQ(durable(), upto(3));
}

TEST_F(LeftSyncTest, EachHandleIsToldOnceOfASyncThatFailed) {
  insert(*writer_, 0);
  fail_a_sync(*writer_);
  EXPECT_THROW(other_->sync_log(), Failure) << "it may have been its own writes";
  other_->sync_log();
  EXPECT_EQ(durable(), upto(1));
  writer_->sync_log();
}

TEST_F(LeftSyncTest, ACommitThatFailsAtItsOwnSyncIsGoneAndThoseBeforeStay) {
  insert(*writer_, 0);
  writer_->leave_syncs(false);
  faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
  EXPECT_THROW(insert(*writer_, 7), Failure);
  EXPECT_EQ(values(*other_), upto(1));
  EXPECT_EQ(durable(), Values{});
  insert(*writer_, 1);
  EXPECT_EQ(durable(), upto(2));
  EXPECT_EQ(values(*other_), upto(2));
}

TEST_F(LeftSyncTest, WhatIsCommittedWhileASyncIsUnderWaySurvivesItsFailure) {
  insert(*writer_, 0);
  faults_.hold_log_syncs();
  auto failed = std::async(std::launch::async, [this] { EXPECT_THROW(other_->sync_log(), Failure); });
  faults_.await_held_sync();
  insert(*writer_, 1);
  EXPECT_EQ(values(*writer_), upto(2));
  faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
  faults_.let_log_syncs_go();
  failed.get();
  EXPECT_EQ(values(*writer_), upto(2));
  other_->sync_log();
  EXPECT_EQ(durable(), upto(2));
}

TEST_F(LeftSyncTest, ATransactionThatLeftTheCacheBeforeItsEndSurvivesAFailedSync) {
  change_more_than_the_cache_holds();
  writer_->execute("COMMIT");
  fail_a_sync(*other_);
  Connection reader(database(), Access::read_only);
  EXPECT_EQ(values(reader), upto(60));
  other_->sync_log();
  EXPECT_EQ(durable(), upto(60));
}

TEST_F(LeftSyncTest, OneThatLeftTheCacheAndWasTakenBackLeavesNothing) {
  insert(*writer_, 0);
  change_more_than_the_cache_holds();
  fail_a_sync(*other_);
  writer_->execute("ROLLBACK");
  insert(*writer_, 1);
  fail_a_sync(*other_);
  EXPECT_EQ(values(*writer_), upto(2));
  other_->sync_log();
  EXPECT_EQ(durable(), upto(2));
}

TEST_F(LeftSyncTest, ALogThatBeginsAnewIsSyncedWithItsHead) {
  insert(*writer_, 0);
  other_->execute("PRAGMA wal_checkpoint(PASSIVE)");  // all of it: the next commit begins at the start
  const auto before = syncs();
  insert(*writer_, 1);
  EXPECT_EQ(syncs(), before + 1);
  EXPECT_EQ(durable(), upto(1));
  insert(*writer_, 2);
  EXPECT_EQ(syncs(), before + 1);
  fail_a_sync(*other_);
  EXPECT_EQ(durable(), upto(1));
  other_->sync_log();
  EXPECT_EQ(durable(), upto(3));
}

TEST_F(LeftSyncTest, WhereTheHeadCannotBeSyncedTheCommitSaysSo) {
  insert(*writer_, 0);
  other_->execute("PRAGMA wal_checkpoint(PASSIVE)");
  faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
  EXPECT_THROW(insert(*writer_, 7), Failure);
  EXPECT_EQ(durable(), upto(1));
  EXPECT_EQ(values(*other_), upto(1));
  insert(*writer_, 1);
  EXPECT_THROW(other_->sync_log(), Failure);  // told of it
  other_->sync_log();
  EXPECT_EQ(durable(), upto(2));
}

TEST_F(LeftSyncTest, ACheckpointOfAnotherConnectionSyncsWhatItCopies) {
  insert(*writer_, 0);
  other_->execute("PRAGMA wal_checkpoint(PASSIVE)");
  EXPECT_EQ(durable(), upto(1));
  insert(*writer_, 1);
  faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
  EXPECT_THROW(other_->execute("PRAGMA wal_checkpoint(PASSIVE)"), Failure);
  EXPECT_EQ(durable(), upto(1));
  EXPECT_EQ(values(*writer_), upto(2));
  other_->execute("PRAGMA wal_checkpoint(PASSIVE)");
  EXPECT_EQ(durable(), upto(2));
}

TEST_F(LeftSyncTest, ALogThatIsCutToNothingLosesNothing) {
  insert(*writer_, 0);
  fail_a_sync(*other_);
  EXPECT_THROW(writer_->sync_log(), Failure);  // told of it
  other_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_EQ(std::filesystem::file_size(log()), 0U);
  EXPECT_EQ(durable(), upto(1));
  insert(*writer_, 1);
  fail_a_sync(*other_);
  EXPECT_EQ(values(*writer_), upto(2));
  other_->sync_log();
  EXPECT_EQ(durable(), upto(2));
}

TEST_F(LeftSyncTest, TheLastToCloseSyncsWhatIsLeft) {
  insert(*writer_, 0);
  fail_a_sync(*other_);
  writer_.reset();
  other_.reset();
  EXPECT_FALSE(std::filesystem::exists(log()));
  EXPECT_EQ(durable(), upto(1));
}

TEST_F(LeftSyncTest, ClosedWhileTheDiskRefusesItHasWhatWasDurable) {
  insert(*writer_, 0);
  other_->sync_log();
  insert(*writer_, 1);
  faults_.fail_all(DiskError::io);
  EXPECT_THROW(other_->sync_log(), Failure);
  writer_.reset();
  other_.reset();
  faults_.heal();
  Connection again(database(), Access::read_write);
  EXPECT_EQ(values(again), upto(1));
  insert(again, 1);
  EXPECT_EQ(durable(), upto(2));
}

TEST_F(LeftSyncTest, ReadersSeeEveryCommitWhileSyncsFail) {
  constexpr int kCommits = 150;
  std::atomic<int> committed{0};
  std::atomic<int> tried{0};  // syncs
  std::atomic<bool> done{false};
  std::thread reader([&] {
    Connection connection(database(), Access::read_only);
    connection.execute("PRAGMA cache_size = 3");
    while (!done) {
      const auto least = committed.load();
      const auto seen = values(connection);
      EXPECT_GE(static_cast<int>(seen.size()), least);
      EXPECT_EQ(seen, upto(static_cast<int>(seen.size())));
    }
  });
  std::thread syncer([&] {
    for (int i = 0; !done; ++i) {
      if (i % 3 != 0) faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
      try {
        other_->sync_log();
      } catch (const Failure&) {
      }
      ++tried;
    }
  });
  for (int i = 0; i < kCommits; ++i) {
    // A log that began anew is synced at once, which may fail.
    for (bool there = false; !there;) {
      try {
        insert(*writer_, i);
        there = true;
      } catch (const Failure&) {
      }
    }
    ++committed;
    if (i % 5 == 4) {
      for (const auto before = tried.load(); tried == before;) std::this_thread::yield();
    }
    if (i % 40 != 39) continue;
    try {
      writer_->execute("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (const Failure&) {
    }
  }
  done = true;
  reader.join();
  syncer.join();
  faults_.heal();
  EXPECT_GT(faults_.failed(), 0);
  while (durable() != upto(kCommits)) {
    try {
      other_->sync_log();
    } catch (const Failure&) {
    }
  }
  EXPECT_EQ(values(*other_), upto(kCommits));
}

}  // namespace
}  // namespace rushes::sqlite
