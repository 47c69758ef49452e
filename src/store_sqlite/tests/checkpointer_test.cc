#include "store_sqlite/checkpointer.h"

#include "store_sqlite/tests/temporary_store.h"

#include <gtest/gtest.h>

#include <chrono>

namespace rushes::store_sqlite {
namespace {

using namespace std::chrono_literals;

int on_commit(void* pages, sqlite3*, const char*, int in_log) {
  *static_cast<int*>(pages) = in_log;
  return SQLITE_OK;
}

class CheckpointerTest : public ::testing::Test {
 protected:
  CheckpointerTest() {
    writer_.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)");
    sqlite3_wal_hook(writer_.handle(), on_commit, &pages_);
    checkpointer_.emplace(folder_.database());
  }

  /// Some 500 pages, over those of an earlier one.
  void commit() {
    ++commits_;
    writer_.run("INSERT OR REPLACE INTO t VALUES (?, randomblob(2000000))", commits_ % 5);
    const auto before = pages_;
    checkpointer_->committed(pages_, writer_);
    most_ = std::max(most_, before);
    if (pages_ < last_) ++restarts_;
    last_ = pages_;
  }
  void commit_until_restarted() {
    const auto end = std::chrono::steady_clock::now() + 60s;
    for (const auto before = restarts_; restarts_ == before && std::chrono::steady_clock::now() < end;) commit();
  }

  TemporaryFolder folder_;
  sqlite::Connection writer_{folder_.database(), sqlite::Access::read_write};
  std::optional<Checkpointer> checkpointer_;
  int pages_ = 0;
  int last_ = 0;
  int most_ = 0;
  int commits_ = 0;
  int restarts_ = 0;
};

TEST_F(CheckpointerTest, TheLogBeginsAnewWhenItIsLong) {
  for (int round = 1; round <= 2; ++round) {
    commit_until_restarted();
    EXPECT_EQ(restarts_, round);
    EXPECT_LT(most_, 2 * Checkpointer::kLongLog + 1'000);
  }
}

TEST_F(CheckpointerTest, AReaderKeepsTheLogForAsLongAsItReads) {
  sqlite::Connection reader(folder_.database(), sqlite::Access::read_only);
  commit();
  reader.execute("BEGIN");
  auto& count = reader.statement("SELECT count(*) FROM t");
  ASSERT_TRUE(count.next());
  count.reset();
  while (pages_ < 2 * Checkpointer::kLongLog + 2'000) commit();
  EXPECT_EQ(restarts_, 0);
  reader.execute("COMMIT");
  commit_until_restarted();
  EXPECT_EQ(restarts_, 1);
}

}  // namespace
}  // namespace rushes::store_sqlite
