#include "sqlite/connection.h"
#include "sqlite/testing/faulty_vfs.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace rushes::sqlite {
namespace {

class WalVfsTest : public ::testing::Test {
 protected:
  WalVfsTest() {
    std::string name = ::testing::TempDir() + "rushes-wal-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~WalVfsTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path file() const { return folder_ / "test.db"; }
  static std::int64_t rows(Connection& connection) {
    auto& row = connection.statement("SELECT count(*) FROM t WHERE length(b) = 3000");
    row.next();
    const auto count = row.integer(0);
    row.reset();
    return count;
  }
  static void insert(Connection& connection, int count) {
    for (int i = 0; i < count; ++i) connection.run("INSERT INTO t VALUES (?)", std::string(3'000, 'x'));
  }

  std::filesystem::path folder_;
  Faults faults_;
  FaultyVfs counting_{faults_};
};

TEST_F(WalVfsTest, ATransactionIsWrittenInFewPieces) {
  Connection connection(file(), Access::read_write);
  connection.execute("CREATE TABLE t (b)");
  const auto before = faults_.count(DiskOperation::write);
  connection.execute("BEGIN");
  insert(connection, 200);
  connection.execute("COMMIT");
  const auto writes = faults_.count(DiskOperation::write) - before;
  EXPECT_LT(writes, 12) << "of some 200 pages, each with a head";
  Connection other(file(), Access::read_only);
  EXPECT_EQ(rows(other), 200);
}

TEST_F(WalVfsTest, AReaderSeesEachCommitAndALargeTransactionReadsItsOwnPages) {
  Connection writer(file(), Access::read_write);
  writer.execute("CREATE TABLE t (b)");
  writer.execute("PRAGMA cache_size = 10");  // pages leave the cache before the commit, and come back
  Connection reader(file(), Access::read_only);
  for (int round = 1; round <= 5; ++round) {
    writer.execute("BEGIN");
    insert(writer, 100);
    EXPECT_EQ(rows(writer), 100 * round);
    EXPECT_EQ(rows(reader), 100 * (round - 1));
    writer.execute("COMMIT");
    EXPECT_EQ(rows(reader), 100 * round);
    if (round == 3) writer.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  auto& sound = reader.statement("PRAGMA integrity_check");
  ASSERT_TRUE(sound.next());
  EXPECT_EQ(sound.text(0), "ok");
}

TEST_F(WalVfsTest, WhicheverWriteFailsTheCommitSaysSo) {
  Connection connection(file(), Access::read_write);
  connection.execute("CREATE TABLE t (b)");
  int failures = 0;
  for (int nth = 1; nth < 50; ++nth) {
    faults_.fail_nth(DiskOperation::write, nth, nth % 2 == 0 ? DiskError::full : DiskError::io, nth % 3 == 0);
    const auto before = rows(connection);
    connection.execute("BEGIN");
    bool failed = false;
    try {
      insert(connection, 100);
      connection.execute("COMMIT");
    } catch (const Failure&) {
      failed = true;
      ++failures;
      if (connection.in_transaction()) connection.execute("ROLLBACK");
    }
    faults_.heal();
    EXPECT_EQ(rows(connection), before + (failed ? 0 : 100)) << "write " << nth;
    if (!failed) break;
  }
  EXPECT_GE(failures, 3);
}

/// A hundred rows, of which half are copied to the database, and not synced.
class HalfCopiedTest : public WalVfsTest {
 protected:
  HalfCopiedTest() {
    writer_.execute("PRAGMA wal_autocheckpoint = 0");
    writer_.execute("CREATE TABLE t (b)");
    writer_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    faults_.lose_unsynced(Lost::all);
    insert(writer_, 50);
    reader_.execute("BEGIN");
    EXPECT_EQ(rows(reader_), 50);  // and keeps its view: the checkpoint ends there, without a sync
    insert(writer_, 50);
    checkpointer_.execute("PRAGMA wal_checkpoint(PASSIVE)");
    reader_.execute("COMMIT");
  }
  void expect_all_in_the_database() {
    EXPECT_EQ(std::filesystem::file_size(file().string() + "-wal"), 0U);
    EXPECT_EQ(rows(reader_), 100);
    auto& sound = reader_.statement("PRAGMA integrity_check");
    ASSERT_TRUE(sound.next());
    EXPECT_EQ(sound.text(0), "ok");
  }

  Connection writer_{file(), Access::read_write};
  Connection reader_{file(), Access::read_only};
  Connection checkpointer_{file(), Access::read_write};
};

TEST_F(HalfCopiedTest, WhatAFailedSyncLosesOfFormerCheckpointsIsCopiedAgain) {
  faults_.fail_nth(DiskOperation::sync, 2, DiskError::io);  // the first is the log's
  EXPECT_THROW(checkpointer_.execute("PRAGMA wal_checkpoint(PASSIVE)"), Failure);
  EXPECT_EQ(faults_.failed(), 1);
  faults_.heal();
  checkpointer_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  expect_all_in_the_database();
}

TEST_F(HalfCopiedTest, WhatAFailedSyncOfTheDatabaseAloneLosesIsCopiedAgain) {
  faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
  EXPECT_THROW(checkpointer_.sync_database(), Failure);
  EXPECT_EQ(faults_.failed(), 1);
  faults_.heal();
  checkpointer_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  expect_all_in_the_database();
}

/// Whether another process finds the database's shared lock (https://www.sqlite.org/atomiccommit.html) taken.
bool is_locked_for_others(const std::filesystem::path& file) {
  const auto child = ::fork();
  if (child == 0) {
    struct ::flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_start = 0x40000002;
    lock.l_len = 510;
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    const bool asked = descriptor >= 0 && ::fcntl(descriptor, F_GETLK, &lock) == 0;
    ::_exit(asked && lock.l_type == F_UNLCK ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status != 0;
}

TEST_F(WalVfsTest, AConnectionThatClosesLeavesTheOthersTheirLocks) {
  auto first = std::make_unique<Connection>(file(), Access::read_write);
  first->execute("CREATE TABLE t (b)");
  auto second = std::make_unique<Connection>(file(), Access::read_write);
  EXPECT_EQ(rows(*second), 0);
  Connection(file(), Access::read_write).execute("INSERT INTO t VALUES (1)");
  EXPECT_TRUE(is_locked_for_others(file()));
  first.reset();
  EXPECT_TRUE(is_locked_for_others(file()));
  second.reset();
  EXPECT_FALSE(is_locked_for_others(file()));
}

}  // namespace
}  // namespace rushes::sqlite
