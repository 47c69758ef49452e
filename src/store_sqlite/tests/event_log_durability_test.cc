// What the event log shows while a second thread makes it durable.
#include "async/run.h"
#include "sqlite/testing/faulty_vfs.h"
#include "store_sqlite/tests/callers.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

namespace rushes::store_sqlite {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<std::int64_t>;

class EventLogDurabilityTest : public ::testing::Test {
 protected:
  EventLogDurabilityTest() {
    store_->events().on_committed([this](std::span<const jobs::Event> events) {
      const std::lock_guard lock(mutex_);
      for (const auto& event : events) heard_.push_back(event.id);
    });
  }
  ~EventLogDurabilityTest() override { faults_.let_log_syncs_go(); }

  std::future<Result<jobs::Submission>> submit() {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = UserId("ann");
    return callers_.call(store_->jobs().submit(job, 1'000));
  }
  Ids logged() {
    Ids ids;
    for (const auto& event : run_to_end(store_->events().after(0, 100)).value()) ids.push_back(event.id);
    return ids;
  }
  Ids heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  std::size_t listed() { return run_to_end(store_->queries().list(UserId("ann"), {})).value().jobs.size(); }
  std::int64_t last_id() { return run_to_end(store_->events().state()).value().last_id; }
  template <class Condition>
  static void await(const char* what, const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_TRUE(condition()) << what;
  }

  FakeClock clock_;
  SeededRng rng_{3};
  sqlite::Faults faults_;
  const sqlite::FaultyVfs vfs_{faults_};
  mutable std::mutex mutex_;
  Ids heard_;  // under mutex_
  Callers callers_;
  TemporaryStore store_{clock_};
};

TEST_F(EventLogDurabilityTest, TheLogShowsNothingThatIsNotDurable) {
  faults_.hold_log_syncs();
  auto alone = submit();
  faults_.await_held_sync();  // the writer's own
  auto more = submit();
  auto most = submit();
  callers_.await_calls();
  faults_.let_one_log_sync_go();
  EXPECT_TRUE(alone.get());
  await("a reader sees a job before it is durable", [this] { return listed() > 1; });
  EXPECT_EQ(logged(), heard());
  EXPECT_EQ(last_id(), heard().back());
  EXPECT_LT(heard().size(), listed());
  faults_.let_log_syncs_go();
  EXPECT_TRUE(more.get());
  EXPECT_TRUE(most.get());
  EXPECT_EQ(heard().size(), 3U);
  EXPECT_EQ(logged(), heard());
  EXPECT_EQ(last_id(), heard().back());
}

TEST_F(EventLogDurabilityTest, WhoListensNoMoreIsToldNothing) {
  EXPECT_TRUE(submit().get());
  store_->events().on_committed({});
  EXPECT_TRUE(submit().get());
  EXPECT_EQ(heard(), Ids{1});
  EXPECT_EQ(logged(), (Ids{1, 2}));
}

}  // namespace
}  // namespace rushes::store_sqlite
