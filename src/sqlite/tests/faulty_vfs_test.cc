#include "sqlite/testing/faulty_vfs.h"

#include "sqlite/connection.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace rushes::sqlite {
namespace {

class FaultyVfsTest : public ::testing::Test {
 protected:
  FaultyVfsTest() {
    std::string name = testing::TempDir() + "rushes-faulty-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
    connection_ = std::make_unique<Connection>(file(), Access::read_write);
    connection_->execute("CREATE TABLE t (a, b)");
  }
  ~FaultyVfsTest() override {
    connection_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::filesystem::path file() const { return folder_ / "test.db"; }

  /// The public name of what inserting failed with; empty where it did not.
  std::string insert(int value) {
    try {
      connection_->run("INSERT INTO t VALUES (?, ?)", value, std::string(20'000, 'x'));
      return {};
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.to_error().code(), Errc::unavailable);
      return std::string(failure.to_error().public_name());
    }
  }
  std::vector<int> stored() const {
    Connection reader(file(), Access::read_only);
    auto& rows = reader.statement("SELECT a FROM t ORDER BY a");
    std::vector<int> values;
    while (rows.next()) values.push_back(static_cast<int>(rows.integer(0)));
    auto& check = reader.statement("PRAGMA integrity_check");
    EXPECT_TRUE(check.next());
    EXPECT_EQ(check.text(0), "ok");
    return values;
  }

  Faults faults_;
  const FaultyVfs vfs_{faults_};
  std::filesystem::path folder_;
  std::unique_ptr<Connection> connection_;
};

using Values = std::vector<int>;

TEST_F(FaultyVfsTest, HealthyItChangesNothing) {
  EXPECT_EQ(insert(1), "");
  EXPECT_EQ(stored(), Values{1});
  EXPECT_GT(faults_.count(DiskOperation::write), 0);
  EXPECT_GT(faults_.count(DiskOperation::sync), 0);
  EXPECT_EQ(faults_.failed(), 0);
}

TEST_F(FaultyVfsTest, WhateverWriteFailsNothingOfTheTransactionStays) {
  EXPECT_EQ(insert(0), "");
  int n = 1;
  for (bool failed = true; failed; ++n) {
    faults_.fail_nth(DiskOperation::write, n, DiskError::full, n % 2 == 0);
    failed = !insert(n).empty();
    faults_.heal();
    EXPECT_EQ(stored(), failed ? Values{0} : (Values{0, n})) << "after the write that failed, " << n;
  }
  EXPECT_GT(n, 2);
  EXPECT_EQ(stored(), (Values{0, n - 1}));
}

TEST_F(FaultyVfsTest, AFailedSyncLosesWhatWasNotSyncedAndNothingElse) {
  faults_.lose_unsynced(Lost::all);
  EXPECT_EQ(insert(1), "");
  faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
  EXPECT_EQ(insert(2), "DISK_FAILED");
  EXPECT_EQ(stored(), Values{1});
  EXPECT_EQ(insert(3), "");
  EXPECT_EQ(stored(), (Values{1, 3}));
}

TEST_F(FaultyVfsTest, TheReasonIsNamed) {
  for (const auto& [error, name] :
       {std::pair(DiskError::full, "DISK_FULL"), std::pair(DiskError::read_only, "DISK_READ_ONLY"),
        std::pair(DiskError::io, "DISK_FAILED")}) {
    faults_.fail_all(error);
    EXPECT_EQ(insert(1), name);
    faults_.heal();
    faults_.fail_nth(DiskOperation::sync, 1, error);
    EXPECT_EQ(insert(1), name);
  }
  EXPECT_EQ(insert(2), "");
  EXPECT_EQ(stored(), Values{2});
}

TEST_F(FaultyVfsTest, ChanceComesOutOfTheSeed) {
  std::vector<std::vector<std::string>> told(2);
  for (auto& one : told) {
    connection_.reset();
    std::filesystem::remove(file());
    connection_ = std::make_unique<Connection>(file(), Access::read_write);
    connection_->execute("CREATE TABLE t (a, b)");
    faults_.fail_randomly(0.1, DiskError::io, 7);
    for (int i = 0; i < 30; ++i) one.push_back(insert(i));
    faults_.heal();
  }
  EXPECT_GT(faults_.failed(), 5);
  EXPECT_EQ(told[0], told[1]);
  (void)stored();
}

}  // namespace
}  // namespace rushes::sqlite
