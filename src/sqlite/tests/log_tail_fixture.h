#pragma once
#include "sqlite/connection.h"
#include "sqlite/testing/faulty_vfs.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace rushes::sqlite {

/// A database in a folder of its own, on a disk that fails on demand.
class LogTest : public ::testing::Test {
 protected:
  using Values = std::vector<int>;

  LogTest() {
    std::string name = ::testing::TempDir() + "rushes-log-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
  }
  ~LogTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::filesystem::path database() const { return folder_ / "test.db"; }
  std::filesystem::path log() const { return database().string() + "-wal"; }

  static void insert(Connection& connection, int value) {
    connection.run("INSERT INTO t VALUES (?, ?)", value, std::string(3'000, 'x'));
  }
  /// Those that a connection sees, in their order, and whether the database is sound.
  static Values values(Connection& connection) {
    Values all;
    auto& rows = connection.statement("SELECT a FROM t WHERE length(b) = 3000 ORDER BY rowid");
    while (rows.next()) all.push_back(static_cast<int>(rows.integer(0)));
    auto& check = connection.statement("PRAGMA integrity_check");
    EXPECT_TRUE(check.next());
    EXPECT_EQ(check.text(0), "ok");
    connection.end_reads();
    return all;
  }
  /// Those that were there if the power failed now.
  Values durable() const {
    const auto copy = folder_ / "copy.db";
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(copy.string() + suffix);
    vfs_.copy_durable(database(), copy);
    vfs_.copy_durable(log(), copy.string() + "-wal");
    Connection reader(copy, Access::read_only);
    return values(reader);
  }

  std::filesystem::path folder_;
  Faults faults_;
  const FaultyVfs vfs_{faults_};
};

}  // namespace rushes::sqlite
