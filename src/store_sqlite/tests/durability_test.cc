// What the writer answers and tells while a second thread makes it durable.
#include "async/run.h"
#include "sqlite/testing/faulty_vfs.h"
#include "store_sqlite/migrations.h"
#include "store_sqlite/tests/callers.h"
#include "store_sqlite/tests/temporary_store.h"
#include "store_sqlite/writer.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <numeric>
#include <thread>

namespace rushes::store_sqlite {
namespace {

using namespace std::chrono_literals;
using sqlite::DiskError;
using sqlite::DiskOperation;
using Work = std::function<Result<int>(Transaction&)>;
using Answer = std::future<Result<int>>;
using Ids = std::vector<std::int64_t>;

constexpr auto kLong = 1h;
constexpr auto kShort = 50ms;

bool is_answered(Answer& answer) { return answer.wait_for(0s) == std::future_status::ready; }

class DurabilityTest : public ::testing::Test {
 protected:
  ~DurabilityTest() override {
    faults_.let_log_syncs_go();
    writer_.reset();
  }

  void start(std::chrono::milliseconds patience = kLong) {
    WriterHooks hooks;
    hooks.told = [this](std::span<const jobs::Event> events) {
      const std::lock_guard lock(mutex_);
      for (const auto& event : events) {
        if (look_when_told_) {
          EXPECT_GE(durable(), event.seq) << "told before it was durable: " << event.id;
        }
        heard_.push_back(event.id);
      }
      changed_.notify_all();
    };
    WriterOptions options;
    options.patience = patience;
    writer_ = std::make_unique<Writer>(folder_.database(), std::move(hooks), options);
  }

  /// A unit that adds a row and tells of it. The event's `seq` is how many rows there are then; gives its id.
  Work insert() {
    return [this](Transaction& transaction) -> Result<int> {
      transaction.database().run("INSERT INTO t VALUES (1)");
      return tell(transaction, rows(transaction.database()));
    };
  }
  /// One that tells, and writes nothing.
  Work progress() {
    return [this](Transaction& transaction) -> Result<int> { return tell(transaction, 0); };
  }
  int tell(Transaction& transaction, int seq) {
    jobs::Event event;
    event.id = ++last_id_;
    event.seq = seq;
    transaction.tell(std::move(event));
    return last_id_;
  }

  Answer write(Work work) { return callers_.call(writer_->write<int>(std::move(work))); }
  Answer pass(Work work) { return callers_.call(writer_->pass<int>(std::move(work))); }
  /// All of them in one batch.
  std::vector<Answer> write_together(std::vector<Work> works) {
    struct Gate {
      std::promise<void> held_up;
      std::promise<void> all_wait;
    };
    auto gate = std::make_shared<Gate>();
    auto hold = write([gate](Transaction&) -> Result<int> {
      gate->held_up.set_value();
      gate->all_wait.get_future().wait();
      return 0;
    });
    gate->held_up.get_future().wait();
    std::vector<Answer> answers;
    for (auto& work : works) answers.push_back(write(std::move(work)));
    callers_.await_calls();
    gate->all_wait.set_value();
    return answers;
  }

  static int rows(sqlite::Connection& connection) {
    auto& row = connection.statement("SELECT count(*) FROM t");
    row.next();
    const auto count = static_cast<int>(row.integer(0));
    row.reset();
    return count;
  }
  int seen() const {
    sqlite::Connection reader(folder_.database(), sqlite::Access::read_only);
    return rows(reader);
  }
  /// Rows that are there if the power fails.
  int durable() const {
    const auto copy = folder_.path() / "copy.db";
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(copy.string() + suffix);
    vfs_.copy_durable(folder_.database(), copy);
    vfs_.copy_durable(folder_.database().string() + "-wal", copy.string() + "-wal");
    sqlite::Connection reader(copy, sqlite::Access::read_only);
    return rows(reader);
  }
  Ids heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  void await_heard(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return heard_.size() >= count; }));
  }
  static Ids upto(int last) {
    Ids ids(static_cast<std::size_t>(last));
    std::iota(ids.begin(), ids.end(), 1);
    return ids;
  }
  template <class Condition>
  static void await(const char* what, const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_TRUE(condition()) << what;
  }
  void expect_unavailable(Answer answer) {
    const auto result = answer.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::unavailable);
    EXPECT_EQ(result.error().public_name(), "DISK_FAILED");
  }

  sqlite::Faults faults_;
  const sqlite::FaultyVfs vfs_{faults_};
  TemporaryFolder folder_;
  sqlite::Connection database_ = [this] {
    sqlite::Connection connection(folder_.database(), sqlite::Access::read_write);
    migrate(connection);
    connection.execute("CREATE TABLE t (a)");
    faults_.lose_unsynced(sqlite::Lost::all);
    return connection;
  }();
  Callers callers_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Ids heard_;  // under mutex_
  std::atomic<bool> look_when_told_{false};
  std::atomic<int> last_id_{0};
  std::unique_ptr<Writer> writer_;
};

TEST_F(DurabilityTest, NobodyIsAnsweredOrToldBeforeTheSyncThoughLaterUnitsSeeTheCommit) {
  start();
  look_when_told_ = true;
  faults_.hold_log_syncs();
  auto first = write_together({insert(), insert()});
  faults_.await_held_sync();
  std::promise<int> seen_by_next;
  auto next = write([&](Transaction& transaction) -> Result<int> {
    seen_by_next.set_value(rows(transaction.database()));
    return insert()(transaction);
  });
  EXPECT_EQ(seen_by_next.get_future().get(), 2);
  EXPECT_GE(seen(), 2);
  EXPECT_EQ(durable(), 0);
  EXPECT_EQ(heard(), Ids{});
  for (auto* answer : {&first[0], &first[1], &next}) EXPECT_FALSE(is_answered(*answer));

  faults_.let_one_log_sync_go();
  EXPECT_EQ(first[0].get().value(), 1);
  EXPECT_EQ(first[1].get().value(), 2);
  EXPECT_EQ(heard(), upto(2));
  EXPECT_FALSE(is_answered(next));
  faults_.let_log_syncs_go();
  EXPECT_EQ(next.get().value(), 3);
  EXPECT_EQ(heard(), upto(3));
  EXPECT_EQ(durable(), 3);
}

TEST_F(DurabilityTest, WhoSeesACommitIsAnsweredAfterItThoughItWritesNothing) {
  start();
  faults_.hold_log_syncs();
  auto first = write_together({insert(), insert()});
  faults_.await_held_sync();
  std::promise<void> ran;
  auto asks = write([&](Transaction& transaction) -> Result<int> {
    ran.set_value();
    return rows(transaction.database());
  });
  ran.get_future().wait();
  EXPECT_FALSE(is_answered(asks));
  faults_.let_log_syncs_go();
  EXPECT_EQ(asks.get().value(), 2);
  EXPECT_EQ(durable(), 2);
}

TEST_F(DurabilityTest, ProgressIsToldInItsTurnAndTheRestAnsweredAtOnce) {
  start();
  faults_.hold_log_syncs();
  auto first = write_together({insert(), insert()});
  faults_.await_held_sync();
  auto told = pass(progress());
  auto asks = pass([this](Transaction&) -> Result<int> { return last_id_.load(); });
  EXPECT_EQ(asks.get().value(), 3);
  EXPECT_FALSE(is_answered(told));
  EXPECT_EQ(heard(), Ids{});
  auto later = write(insert());
  faults_.let_log_syncs_go();
  EXPECT_EQ(told.get().value(), 3);
  EXPECT_EQ(later.get().value(), 4);
  EXPECT_EQ(heard(), upto(4));
  EXPECT_EQ(first[0].get().value(), 1);
  // Where nothing waits for a sync it is told at once.
  const auto syncs = faults_.count(DiskOperation::sync);
  await("idle", [&] { return pass(progress()).get().value() > 0 && faults_.count(DiskOperation::sync) == syncs; });
}

TEST_F(DurabilityTest, TheLogsOrderHoldsWhoeverWritesAndWhateverFails) {
  start();
  constexpr int kCallers = 24;
  constexpr int kEach = 40;
  std::atomic<int> refused{0};
  std::mutex accepted_mutex;
  Ids accepted;
  std::vector<std::future<void>> done;
  done.reserve(kCallers);
  for (int caller = 0; caller < kCallers; ++caller) {
    done.push_back(std::async(std::launch::async, [&, caller] {
      for (int i = 0; i < kEach; ++i) {
        // Syncs fail now and then; of those alone that a second thread does, a second try is made.
        if (caller == 0 && i % 4 == 3) faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
        const bool writes = (caller + i) % 3 != 0;
        const auto id = run_to_end(writes ? writer_->write<int>(insert()) : writer_->pass<int>(progress()));
        if (!id) {
          EXPECT_EQ(id.error().code(), Errc::unavailable);
          ++refused;
          continue;
        }
        const auto told = heard();
        EXPECT_NE(std::find(told.begin(), told.end(), *id), told.end()) << "answered before it was told";
        const std::lock_guard lock(accepted_mutex);
        accepted.push_back(*id);
      }
    }));
  }
  for (auto& one : done) one.get();
  faults_.heal();
  const auto told = heard();
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(std::adjacent_find(told.begin(), told.end()), told.end()) << "told twice";
  std::sort(accepted.begin(), accepted.end());
  EXPECT_EQ(told, accepted) << "told is what was answered, and nothing else";
  EXPECT_EQ(static_cast<int>(told.size()) + refused, kCallers * kEach);
  EXPECT_GT(faults_.failed(), 0);
  EXPECT_EQ(durable(), seen());
}

TEST_F(DurabilityTest, ASyncThatFailsOnceIsNobodysConcern) {
  start(0ms);
  faults_.hold_log_syncs();
  auto answers = write_together({insert(), insert()});
  faults_.await_held_sync();
  faults_.fail_nth(DiskOperation::sync, 1, DiskError::io);
  faults_.let_log_syncs_go();
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_EQ(faults_.failed(), 1);
  EXPECT_EQ(durable(), 2);
  EXPECT_EQ(heard(), upto(2));
}

TEST_F(DurabilityTest, WhereTheDiskSyncsNothingThoseWhoWaitAreToldAndTheChangeStands) {
  start(kShort);
  faults_.hold_log_syncs();
  auto first = write_together({insert(), insert()});
  faults_.await_held_sync();
  auto told = pass(progress());
  faults_.fail_all(DiskError::io);
  faults_.let_log_syncs_go();
  for (auto* answer : {&first[0], &first[1], &told}) expect_unavailable(std::move(*answer));
  EXPECT_TRUE(writer_->refusal());
  EXPECT_EQ(heard(), Ids{});
  EXPECT_EQ(seen(), 2);
  EXPECT_EQ(durable(), 0) << "a crash takes it back";
  expect_unavailable(write(insert()));
  EXPECT_EQ(seen(), 2) << "who comes meanwhile changes nothing";

  faults_.heal();
  await_heard(3);
  EXPECT_EQ(heard(), upto(3)) << "and is told of, once it is durable";
  EXPECT_GE(durable(), 2);
  // It is found to be back though nobody writes.
  await("healthy", [this] { return !writer_->refusal(); });
  EXPECT_EQ(write(insert()).get().value(), 4);
  EXPECT_EQ(heard(), upto(4));
  EXPECT_EQ(durable(), 3);
}

TEST_F(DurabilityTest, WhereTheDiskIsBackWithinThePatienceNobodyIsRefused) {
  start(kLong);
  faults_.hold_log_syncs();
  auto answers = write_together({insert(), insert()});
  faults_.await_held_sync();
  faults_.fail_all(DiskError::io);
  faults_.let_log_syncs_go();
  await("it refuses", [this] { return writer_->refusal().has_value(); });
  EXPECT_EQ(heard(), Ids{});
  faults_.heal();
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_EQ(heard(), upto(2));
  EXPECT_EQ(durable(), 2);
}

TEST_F(DurabilityTest, ItEndsThoughTheDiskRefusesAndBeginsAnewWithWhatWasDurable) {
  start(kShort);
  EXPECT_TRUE(write(insert()).get());
  faults_.hold_log_syncs();
  auto answers = write_together({insert(), insert()});
  faults_.await_held_sync();
  faults_.fail_all(DiskError::io);
  faults_.let_log_syncs_go();
  for (auto& answer : answers) expect_unavailable(std::move(answer));
  writer_.reset();
  EXPECT_EQ(heard(), upto(1));
  EXPECT_EQ(durable(), 1);
  faults_.heal();
  start();
  auto next = write_together({insert(), insert()});
  for (auto& answer : next) EXPECT_TRUE(answer.get());
  EXPECT_EQ(durable(), seen());
}

}  // namespace
}  // namespace rushes::store_sqlite
