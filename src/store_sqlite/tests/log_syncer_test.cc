#include "store_sqlite/log_syncer.h"

#include "sqlite/testing/faulty_vfs.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>

namespace rushes::store_sqlite {
namespace {

using namespace std::chrono_literals;
using sqlite::DiskError;
using sqlite::DiskOperation;
using Needs = LogSyncer::Needs;
using Said = std::vector<std::string>;

constexpr auto kLong = 1h;
constexpr auto kShort = 20ms;

/// What was said to steps, in order.
class Record {
 public:
  void say(const std::string& what) {
    const std::lock_guard lock(mutex_);
    said_.push_back(what);
    changed_.notify_all();
  }
  Said said() const {
    const std::lock_guard lock(mutex_);
    return said_;
  }
  /// Waits until `count` of them were that.
  void await(const std::string& what, std::ptrdiff_t count = 1) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return std::count(said_.begin(), said_.end(), what) >= count; }))
        << what << " is not said";
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Said said_;
};

class LogSyncerTest : public ::testing::Test {
 protected:
  /// Says its name when it is durable, "late" before it where it is late, and "gone" with its end.
  class Named final : public LogSyncer::Step {
   public:
    Named(LogSyncerTest& test, std::string name, std::function<void()> then)
        : test_(test), name_(std::move(name)), then_(std::move(then)) {}
    ~Named() override { test_.gone_.say(name_); }
    void durable() override {
      test_.record_.say(name_);
      if (then_) then_();
    }
    void late(const sqlite::Failure& failure) override {
      EXPECT_EQ(failure.to_error().public_name(), "DISK_FAILED");
      if (!std::exchange(told_late_, true)) test_.record_.say("late " + name_);
    }

   private:
    LogSyncerTest& test_;
    const std::string name_;
    const std::function<void()> then_;
    bool told_late_ = false;
  };

  LogSyncerTest() {
    writer_.execute("CREATE TABLE t (a)");
    faults_.lose_unsynced(sqlite::Lost::all);
    EXPECT_TRUE(writer_.leave_syncs(true));
  }
  ~LogSyncerTest() override { faults_.let_log_syncs_go(); }
  void start(std::chrono::milliseconds patience = kLong) {
    syncer_ = std::make_unique<LogSyncer>(folder_.database(), patience);
  }
  void commit() { writer_.run("INSERT INTO t VALUES (1)"); }
  void push(const std::string& name, Needs needs = Needs::sync, std::function<void()> then = nullptr) {
    syncer_->push(std::make_unique<Named>(*this, name, std::move(then)), needs);
  }
  /// Rows that are there if the power fails.
  int durable() const {
    const auto copy = folder_.path() / "copy.db";
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(copy.string() + suffix);
    vfs_.copy_durable(folder_.database(), copy);
    vfs_.copy_durable(folder_.database().string() + "-wal", copy.string() + "-wal");
    sqlite::Connection reader(copy, sqlite::Access::read_only);
    auto& row = reader.statement("SELECT count(*) FROM t");
    EXPECT_TRUE(row.next());
    return static_cast<int>(row.integer(0));
  }
  template <class Condition>
  static void await(const char* what, const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_TRUE(condition()) << what;
  }
  void await_failure() {
    await("it fails", [this] { return syncer_->failure().has_value(); });
  }
  void await_idle() {
    await("all steps were called", [this] { return syncer_->is_idle(); });
  }
  std::int64_t syncs() const { return faults_.count(DiskOperation::sync); }

  sqlite::Faults faults_;
  const sqlite::FaultyVfs vfs_{faults_};
  TemporaryFolder folder_;
  sqlite::Connection writer_{folder_.database(), sqlite::Access::read_write};
  Record record_;
  Record gone_;
  std::unique_ptr<LogSyncer> syncer_;
};

TEST_F(LogSyncerTest, AStepIsCalledOnceItsCommitIsDurable) {
  start();
  faults_.hold_log_syncs();
  commit();
  EXPECT_TRUE(syncer_->is_idle());
  push("a", Needs::sync, [this] { EXPECT_GE(durable(), 1); });
  faults_.await_held_sync();
  commit();
  push("b", Needs::sync, [this] { EXPECT_EQ(durable(), 2); });
  EXPECT_EQ(record_.said(), Said{});
  EXPECT_FALSE(syncer_->is_idle());
  EXPECT_EQ(durable(), 0);
  faults_.let_log_syncs_go();
  record_.await("b");
  EXPECT_EQ(record_.said(), (Said{"a", "b"}));
  await_idle();
  gone_.await("b");
  EXPECT_EQ(gone_.said(), (Said{"a", "b"}));
}

TEST_F(LogSyncerTest, ThoseThatComeWhileASyncIsUnderWayShareTheNext) {
  start();
  const auto before = syncs();
  faults_.hold_log_syncs();
  commit();
  push("a");
  faults_.await_held_sync();
  for (const auto* name : {"b", "c", "d"}) {
    commit();
    push(name);
  }
  faults_.let_log_syncs_go();
  record_.await("d");
  EXPECT_EQ(record_.said(), (Said{"a", "b", "c", "d"}));
  EXPECT_EQ(syncs(), before + 2);
}

TEST_F(LogSyncerTest, ThoseThatNeedTheirTurnAloneAreNotSyncedButWaitForIt) {
  start();
  const auto before = syncs();
  push("first", Needs::order);
  record_.await("first");
  EXPECT_EQ(syncs(), before);
  faults_.hold_log_syncs();
  commit();
  push("a");
  faults_.await_held_sync();
  push("b", Needs::order);
  push("c", Needs::order);
  EXPECT_EQ(record_.said(), Said{"first"});
  faults_.let_log_syncs_go();
  record_.await("c");
  EXPECT_EQ(record_.said(), (Said{"first", "a", "b", "c"}));
  EXPECT_EQ(syncs(), before + 1);
}

TEST_F(LogSyncerTest, ItIsReadyWhereNothingIsSyncedAndOnceWhatGatheredIs) {
  start();
  syncer_->wait_until_ready();
  for (int i = 0; i < 100; ++i) {  // whether it has seen what was pushed or not
    commit();
    push("early");
    syncer_->wait_until_ready();
    await_idle();
  }
  faults_.hold_log_syncs();
  commit();
  push("a");
  syncer_->wait_until_ready();  // though its sync is held
  faults_.await_held_sync();
  push("told", Needs::order);
  syncer_->wait_until_ready();  // nothing to gather for
  commit();
  push("b");
  auto ready = std::async(std::launch::async, [this] { syncer_->wait_until_ready(); });
  EXPECT_EQ(ready.wait_for(0s), std::future_status::timeout);
  faults_.let_one_log_sync_go();
  ready.get();
  EXPECT_FALSE(syncer_->is_idle());
  faults_.let_log_syncs_go();
  record_.await("b");
}

TEST_F(LogSyncerTest, ASyncThatFailsOnceIsNobodysConcern) {
  start(0ms);
  commit();
  faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
  push("a");
  record_.await("a");
  EXPECT_EQ(record_.said(), Said{"a"});
  EXPECT_EQ(durable(), 1);
  EXPECT_EQ(faults_.failed(), 1);
  EXPECT_FALSE(syncer_->failure());
}

TEST_F(LogSyncerTest, OneOfAnotherConnectionsIsNoneEither) {
  start(0ms);
  commit();
  faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
  EXPECT_THROW(writer_.sync_log(), sqlite::Failure);
  push("a");
  record_.await("a");
  EXPECT_EQ(record_.said(), Said{"a"});
  EXPECT_EQ(durable(), 1);
}

TEST_F(LogSyncerTest, WhereTheDiskRefusesItSaysSoAndGoesOnUntilItDoesNot) {
  start();
  commit();
  faults_.fail_all(DiskError::io);
  push("a");
  await_failure();
  syncer_->wait_until_ready();
  push("b", Needs::order);
  push("c");
  syncer_->wait_until_ready();  // it waits for no disk that refuses
  EXPECT_EQ(syncer_->failure()->to_error().public_name(), "DISK_FAILED");
  EXPECT_EQ(record_.said(), Said{});
  faults_.heal();
  record_.await("c");
  EXPECT_EQ(record_.said(), (Said{"a", "b", "c"})) << "nobody was late";
  EXPECT_FALSE(syncer_->failure());
  EXPECT_EQ(durable(), 1);
  await_idle();
}

TEST_F(LogSyncerTest, AStepIsLateOnceThePatienceIsOverAndDurableYet) {
  start(kShort);
  commit();
  faults_.fail_all(DiskError::io);
  const auto began = std::chrono::steady_clock::now();
  push("a");
  record_.await("late a");
  EXPECT_GE(std::chrono::steady_clock::now() - began, kShort);
  push("b");
  push("c", Needs::order);
  record_.await("late c");
  EXPECT_EQ(record_.said(), (Said{"late a", "late b", "late c"}));
  EXPECT_EQ(gone_.said(), Said{});
  faults_.heal();
  record_.await("c");
  EXPECT_EQ(record_.said(), (Said{"late a", "late b", "late c", "a", "b", "c"}));
  EXPECT_EQ(durable(), 1);
}

TEST_F(LogSyncerTest, WhatWasNotCalledWhenItIsDestroyedIsSynced) {
  start();
  faults_.hold_log_syncs();
  commit();
  push("a");
  faults_.await_held_sync();
  commit();
  push("b");
  auto destroyed = std::async(std::launch::async, [this] { syncer_.reset(); });
  faults_.let_log_syncs_go();
  destroyed.get();
  EXPECT_EQ(durable(), 2);
  EXPECT_EQ(record_.said().at(0), "a");
  EXPECT_EQ(gone_.said(), (Said{"a", "b"}));
}

TEST_F(LogSyncerTest, ItEndsThoughTheDiskRefuses) {
  start();
  commit();
  faults_.fail_all(DiskError::io);
  push("a");
  await_failure();
  push("b");
  syncer_.reset();
  EXPECT_EQ(record_.said(), Said{});
  EXPECT_EQ(gone_.said().size(), 2U);
  EXPECT_EQ(durable(), 0);
  faults_.heal();
  // The next one makes it durable: the connections are told once each of what failed.
  start();
  push("c");
  record_.await("c");
  EXPECT_EQ(durable(), 1);
}

}  // namespace
}  // namespace rushes::store_sqlite
