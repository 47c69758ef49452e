#include "store_sqlite/store.h"

#include "async/run.h"
#include "base/id.h"
#include "sqlite/connection.h"
#include "store_sqlite/tests/callers.h"
#include "store_sqlite/tests/statement_watch.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rushes::store_sqlite {
namespace {

namespace fs = std::filesystem;

class StoreTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Store>> open(const fs::path& file) { return Store::open(file, StoreOptions(), clock_, rng_); }

  jobs::NewJob request() {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = UserId("ann");
    job.body = "words";
    return job;
  }
  static jobs::Job submit(Store& store, const jobs::NewJob& job) {
    return run_to_end(store.jobs().submit(job, 1000)).value().job;
  }

  FakeClock clock_;
  SeededRng rng_{4};
  TemporaryFolder folder_;
};

TEST_F(StoreTest, ReopeningKeepsEverything) {
  const auto wanted = request();
  jobs::Lease lease;
  {
    const auto store = open(folder_.database()).value();
    submit(*store, wanted);
    submit(*store, request());
    lease = run_to_end(store->jobs().claim(jobs::ClaimRequest())).value().at(0).lease;
  }
  const auto store = open(folder_.database()).value();
  const auto job = run_to_end(store->queries().find(wanted.user, wanted.id)).value();
  EXPECT_EQ(job.state, jobs::JobState::processing);
  EXPECT_EQ(run_to_end(store->queries().body_of(wanted.user, wanted.id)).value(), "words");
  EXPECT_EQ(run_to_end(store->events().after(0, 100)).value().size(), 3U);
  EXPECT_TRUE(run_to_end(store->jobs().renew(lease, std::chrono::seconds(30))));

  // Numbers go on where they stood.
  submit(*store, request());
  EXPECT_GT(run_to_end(store->events().of_user_after(wanted.user, 3, 100)).value().at(0).seq, 4);
  EXPECT_GT(run_to_end(store->jobs().claim(jobs::ClaimRequest())).value().at(0).lease.token, lease.token);
}

TEST_F(StoreTest, ReopeningRemembersWhoRanWithinTheHour) {
  auto bobs = request();
  bobs.user = UserId("bob");
  {
    const auto store = open(folder_.database()).value();
    submit(*store, bobs);
    const auto lease = run_to_end(store->jobs().claim(jobs::ClaimRequest())).value().at(0).lease;
    clock_.advance(std::chrono::seconds(1));
    ASSERT_TRUE(run_to_end(store->jobs().fail(lease, {"BAD", "Bad.", false, {}}, {})));
  }
  const auto store = open(folder_.database()).value();
  for (int i = 0; i < 3; ++i) submit(*store, request());
  jobs::ClaimRequest all;
  all.limit = 10;
  all.sharing = {3, 0, 0};
  EXPECT_EQ(run_to_end(store->jobs().claim(all)).value().size(), 2U);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(run_to_end(store->jobs().claim(all)).value().size(), 1U);
}

TEST_F(StoreTest, AReportOfAJobIsInNoSubmitsWay) {
  std::promise<void> reads_events;
  std::promise<void> go_on;
  auto may_go_on = go_on.get_future();
  bool held = false;
  const StatementWatch watch([&](std::string_view sql) {
    if (sql.find("FROM log") == std::string_view::npos || std::exchange(held, true)) return;
    reads_events.set_value();
    may_go_on.wait();
  });
  const auto store = open(folder_.database()).value();
  const auto first = submit(*store, request());

  Callers callers;
  auto reported = callers.call(store->queries().report_job(first.id));
  EXPECT_EQ(reads_events.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready)
      << "its events are read by a reader";
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(callers.call(store->jobs().submit(request(), 1000)).get());
  go_on.set_value();
  EXPECT_EQ(reported.get().value().events.size(), 1U);
}

TEST_F(StoreTest, AWebhookThatIsRemovedMeanwhileHasNothingDue) {
  Store* removes_from = nullptr;
  webhooks::Webhook webhook;
  webhook.id = webhooks::WebhookId("hook");
  webhook.user = UserId("ann");
  const StatementWatch watch([&](std::string_view sql) {
    if (removes_from == nullptr || sql.find("FROM deliveries d JOIN webhooks w") == std::string_view::npos) return;
    EXPECT_TRUE(run_to_end(std::exchange(removes_from, nullptr)->webhooks().remove(webhook.user, webhook.id)));
  });
  const auto store = open(folder_.database()).value();
  ASSERT_TRUE(run_to_end(store->webhooks().add(webhook, 1)));
  ASSERT_TRUE(run_to_end(store->webhooks().file(webhook.user, webhook.id, "webhook.test", "{}")));
  ASSERT_EQ(run_to_end(store->webhooks().due(clock_.now(), {})).value().due.size(), 1U);
  removes_from = store.get();
  EXPECT_TRUE(run_to_end(store->webhooks().due(clock_.now(), {})).value().due.empty());
  EXPECT_EQ(removes_from, nullptr) << "it was removed in between";
}

TEST_F(StoreTest, ANewerVersionIsRefusedAndLeftAlone) {
  const auto wanted = request();
  submit(*open(folder_.database()).value(), wanted);
  const auto set_version = [&](int version) {
    sqlite::Connection connection(folder_.database(), sqlite::Access::read_write);
    connection.execute("PRAGMA user_version = " + std::to_string(version));
  };
  const auto newest = [&] {
    sqlite::Connection connection(folder_.database(), sqlite::Access::read_only);
    auto& asked = connection.statement("PRAGMA user_version");
    asked.next();
    return static_cast<int>(asked.integer(0));
  }();
  for (const int version : {newest + 1, 99, -1}) {
    set_version(version);
    const auto refused = open(folder_.database());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::conflict);
    EXPECT_NE(refused.error().what().find("newer Rushes"), std::string::npos) << refused.error().what();
    EXPECT_NE(refused.error().what().find(folder_.database().string()), std::string::npos) << refused.error().what();
  }
  set_version(newest);
  EXPECT_TRUE(run_to_end(open(folder_.database()).value()->queries().find(wanted.user, wanted.id)));
}

TEST_F(StoreTest, ASecondStoreOnTheSameFileIsAConflict) {
  auto first = open(folder_.database()).value();
  const auto second = open(folder_.database());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::conflict);
  EXPECT_NE(second.error().what().find(folder_.database().string()), std::string::npos);
  submit(*first, request());  // undisturbed

  first.reset();
  EXPECT_TRUE(open(folder_.database()));
}

TEST_F(StoreTest, AFolderThatIsNotThereIsNamed) {
  const auto refused = open(folder_.path() / "none" / "rushes.db");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::unavailable);
  EXPECT_NE(refused.error().what().find("none"), std::string::npos) << refused.error().what();
}

TEST_F(StoreTest, AFileThatIsNoDatabaseIsNamedAndLeftAlone) {
  const std::string content(5000, 'x');
  std::ofstream(folder_.database()) << content;
  const auto refused = open(folder_.database());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::unavailable);
  EXPECT_NE(refused.error().what().find("is not a database of Rushes"), std::string::npos);
  EXPECT_EQ(read_file(folder_.database()).value(), content);
}

TEST_F(StoreTest, ItsFilesAreForThisAccountAlone) {
  const auto store = open(folder_.database()).value();
  submit(*store, request());
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    ++files;
    EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write) << entry.path();
  }
  EXPECT_GE(files, 3);  // the database, its log, the lock
}

}  // namespace
}  // namespace rushes::store_sqlite
