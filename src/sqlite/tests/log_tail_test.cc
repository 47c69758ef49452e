#include "sqlite/log_tail.h"

#include "sqlite/testing/faulty_vfs.h"
#include "sqlite/tests/log_tail_fixture.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>

namespace rushes::sqlite {
namespace {

/// A log of the VFS below, and its tail, without a database.
class LogTailTest : public LogTest {
 protected:
  LogTailTest() {
    auto* vfs = sqlite3_vfs_find(nullptr);
    memory_.resize(static_cast<std::size_t>(vfs->szOsFile));
    path_ = (folder_ / "log-wal").string();
    std::ofstream(folder_ / "log") << "";  // whose rights the log gets
    const int flags = SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (vfs->xOpen(vfs, path_.c_str(), file(), flags, nullptr) != SQLITE_OK) throw std::runtime_error("no log");
    faults_.lose_unsynced(Lost::all);
  }
  ~LogTailTest() override { file()->pMethods->xClose(file()); }

  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }
  void write(const std::string& text, sqlite3_int64 offset, bool keep = true) {
    std::vector<char> bytes(text.begin(), text.end());
    EXPECT_EQ(tail_.write(file(), bytes, offset, keep), SQLITE_OK);
  }
  std::string read(int size, sqlite3_int64 offset, int expected = SQLITE_OK) {
    std::string bytes(static_cast<std::size_t>(size), '?');
    EXPECT_EQ(tail_.read(file(), bytes.data(), size, offset), expected);
    return bytes;
  }
  std::string below() {
    sqlite3_int64 size = 0;
    EXPECT_EQ(file()->pMethods->xFileSize(file(), &size), SQLITE_OK);
    std::string bytes(static_cast<std::size_t>(size), '?');
    EXPECT_EQ(file()->pMethods->xRead(file(), bytes.data(), static_cast<int>(size), 0), SQLITE_OK);
    return bytes;
  }
  sqlite3_int64 size() {
    sqlite3_int64 size = 0;
    EXPECT_EQ(tail_.size(file(), &size), SQLITE_OK);
    return size;
  }
  int sync() { return tail_.sync(file(), SQLITE_SYNC_NORMAL); }
  void fail_a_sync() {
    faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
    EXPECT_NE(sync(), SQLITE_OK);
  }

  std::vector<std::byte> memory_;
  std::string path_;
  LogTail tail_;
};

TEST_F(LogTailTest, WhatAFailedSyncTookIsReadFromMemoryAndWrittenByTheNext) {
  write("head", 0, false);
  ASSERT_EQ(sync(), SQLITE_OK);
  write("aaaa", 4);
  write("bbbb", 8);
  fail_a_sync();
  EXPECT_EQ(below(), "head");
  EXPECT_EQ(read(12, 0), "headaaaabbbb");
  EXPECT_EQ(read(4, 6), "aabb");
  EXPECT_EQ(read(2, 9), "bb");
  EXPECT_EQ(size(), 12);
  write("cccc", 12);
  EXPECT_EQ(sync(), SQLITE_OK);
  EXPECT_EQ(below(), "headaaaabbbbcccc");
  EXPECT_EQ(size(), 16);
}

TEST_F(LogTailTest, WhatIsWrittenOverStaysBesideIt) {
  write("head", 0, false);
  ASSERT_EQ(sync(), SQLITE_OK);
  write("aaaaaaaa", 4);
  write("bbbb", 12);
  write("XX", 6);         // within a piece
  write("YYYY", 11);      // over parts of two
  write("ZZ", 7, false);  // what is not kept is not read from memory either
  EXPECT_EQ(read(16, 0), "headaaXZZaaYYYYb");
  fail_a_sync();
  EXPECT_EQ(below(), "head");
  EXPECT_EQ(sync(), SQLITE_OK);
  const auto all = below();
  EXPECT_EQ(all.substr(0, 7), "headaaX");
  EXPECT_EQ(all.substr(9), "aaYYYYb") << "7 and 8 were nobody's to write anew";
}

TEST_F(LogTailTest, AReadBehindTheEndIsShort) {
  write("head", 0, false);
  ASSERT_EQ(sync(), SQLITE_OK);
  write("aaaa", 4);
  fail_a_sync();
  EXPECT_EQ(read(6, 4, SQLITE_IOERR_SHORT_READ).substr(0, 4), "aaaa");
  EXPECT_EQ(read(4, 20, SQLITE_IOERR_SHORT_READ), std::string(4, '\0'));
  write("cccc", 12);
  EXPECT_EQ(read(16, 0), std::string("headaaaa\0\0\0\0cccc", 16)) << "the file has a hole there";
}

TEST_F(LogTailTest, ALogThatBeginsAnewOrIsCutHasNothingOfTheOldOne) {
  write("head", 0);
  write("aaaabbbb", 4);
  ASSERT_EQ(tail_.truncate(file(), 8), SQLITE_OK);
  EXPECT_EQ(size(), 8);
  fail_a_sync();
  EXPECT_EQ(read(8, 0), "headaaaa");
  write("HEAD", 0);
  EXPECT_EQ(size(), 4);
  fail_a_sync();
  EXPECT_EQ(sync(), SQLITE_OK);
  EXPECT_EQ(below(), "HEAD");
}

TEST_F(LogTailTest, WhatCannotBeWrittenAnewIsTriedAgain) {
  write("aaaa", 0);
  write("bbbb", 4);
  fail_a_sync();
  for (const int nth : {1, 2}) {
    faults_.fail_nth(DiskOperation::write, nth, DiskError::full, true);
    EXPECT_EQ(sync(), SQLITE_FULL);
    EXPECT_EQ(read(8, 0), "aaaabbbb");
  }
  EXPECT_EQ(sync(), SQLITE_OK);
  EXPECT_EQ(below(), "aaaabbbb");
  fail_a_sync();  // it takes nothing that a good sync has seen
  EXPECT_EQ(below(), "aaaabbbb");
}

TEST_F(LogTailTest, ThereIsOneOfEachLogForAsLongAsSomebodyHasIt) {
  auto one = LogTail::of("/one-wal");
  EXPECT_EQ(LogTail::of("/one-wal"), one);
  EXPECT_NE(LogTail::of("/other-wal"), one);
  const std::weak_ptr<LogTail> gone = one;
  one.reset();
  EXPECT_TRUE(gone.expired());
}

}  // namespace
}  // namespace rushes::sqlite
