#include "store_sqlite/writer.h"

#include "async/run.h"
#include "store_sqlite/migrations.h"
#include "store_sqlite/sqlite_job_store.h"
#include "store_sqlite/tests/temporary_store.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <future>

namespace rushes::store_sqlite {
namespace {

using Work = std::function<Result<int>(Transaction&)>;

class WriterTest : public ::testing::Test {
 protected:
  WriterTest() {
    database_.execute("CREATE TABLE t (a, b)");
    WriterHooks hooks;
    hooks.reload = [this](sqlite::Connection& database, bool within) { live_.load(database, within); };
    hooks.begun = [this](Transaction& transaction) { live_.step_lists(transaction); };
    hooks.told = [this](std::span<const jobs::Event> events) {
      for (const auto& event : events) heard_.push_back(event.id);
      ++commits_heard_;
    };
    hooks.committed = [this] { live_.committed(); };
    hooks.has_unfiled = [this] { return live_.has_unfiled(); };
    hooks.must_file = [this] { return must_file_.load(); };
    hooks.file = [this](Transaction& transaction) { live_.file(transaction); };
    writer_ = std::make_unique<Writer>(folder_.database(), std::move(hooks));
  }

  /// Runs all of them in one batch, and gives what each was told.
  std::vector<Result<int>> write_together(std::vector<Work> works) {
    std::promise<void> held_up;
    std::promise<void> all_wait;
    std::future<void> gate = all_wait.get_future();
    Work hold = [this, &held_up, &gate](Transaction&) -> Result<int> {
      must_file_ = must_file_next_;
      held_up.set_value();
      gate.wait();
      return 0;
    };
    works.insert(works.begin(), std::move(hold));
    asio::io_context loop(1);
    std::vector<Result<int>> results(works.size(), Result<int>(Error(Errc::internal, "never told")));
    for (std::size_t i = 0; i < works.size(); ++i) {
      asio::co_spawn(loop, writer_->write<int>(works[i]), [&results, i](std::exception_ptr failed, Result<int> result) {
        EXPECT_FALSE(failed);
        results[i] = std::move(result);
      });
      loop.poll();  // it holds the writer up, or waits in the queue
      if (i == 0) held_up.get_future().wait();
    }
    all_wait.set_value();
    loop.restart();
    loop.run();
    results.erase(results.begin());
    return results;
  }

  static Work insert(int value, std::string bytes = {}) {
    return [value, bytes = std::move(bytes)](Transaction& transaction) -> Result<int> {
      transaction.database().run("INSERT INTO t VALUES (?, ?)", value, bytes);
      jobs::Event event;
      event.id = value;
      transaction.tell(std::move(event));
      return value;
    };
  }

  std::vector<int> stored() {
    Work nothing = [](Transaction&) -> Result<int> { return 0; };
    run_to_end(writer_->write(std::move(nothing))).value();  // what was heard is seen here from now on
    sqlite::Connection connection(folder_.database(), sqlite::Access::read_only);
    auto& rows = connection.statement("SELECT a FROM t ORDER BY rowid");
    std::vector<int> values;
    while (rows.next()) values.push_back(static_cast<int>(rows.integer(0)));
    return values;
  }

  static sqlite::Connection migrated(const std::filesystem::path& file) {
    sqlite::Connection connection(file, sqlite::Access::read_write);
    migrate(connection);
    return connection;
  }

  /// A job and an event, both of this number.
  void add(Transaction& transaction, int number) {
    Row row;
    row.number = number;
    transaction.add(row, request_, std::nullopt);
    jobs::Event event;
    event.id = event.seq = number;
    event.user = request_.user;
    transaction.log(std::move(event));
  }

  static jobs::Completion completion() {
    jobs::Completion completion;
    completion.audit = AuditId("019a0000-0000-7000-8000-000000000002");
    return completion;
  }
  static jobs::NewJob new_job() {
    jobs::NewJob job;
    job.id = JobId("019a0000-0000-7000-8000-000000000001");
    job.user = UserId("ann");
    return job;
  }

  const jobs::NewJob request_ = new_job();
  TemporaryFolder folder_;
  sqlite::Connection database_ = migrated(folder_.database());
  Lists lists_{database_, 50};
  LiveJobs live_{3, 0, lists_, 1'000};
  std::vector<std::int64_t> heard_;  // on the writer's thread
  int commits_heard_ = 0;
  std::atomic<bool> must_file_ = false;
  bool must_file_next_ = false;  // with the next batch of `write_together`
  std::unique_ptr<Writer> writer_;
};

using Values = std::vector<int>;
using Ids = std::vector<std::int64_t>;

TEST_F(WriterTest, WhatWaitsTogetherIsCommittedTogether) {
  std::vector<Work> works;
  for (int i = 1; i <= 20; ++i) works.push_back(insert(i));
  const auto results = write_together(std::move(works));
  for (int i = 1; i <= 20; ++i) EXPECT_EQ(results.at(static_cast<std::size_t>(i - 1)).value(), i);
  EXPECT_EQ(stored().size(), 20U);
  EXPECT_EQ(heard_.size(), 20U);
  EXPECT_EQ(commits_heard_, 1);
}

TEST_F(WriterTest, ARefusalUndoesItsOwnWritesAlone) {
  Work refused = [](Transaction& transaction) -> Result<int> {
    (void)insert(2)(transaction);
    return Error(Errc::not_found, "no");
  };
  Work kept = [](Transaction& transaction) -> Result<int> {
    (void)insert(3)(transaction);
    transaction.keep_despite_error();
    return Error(Errc::cancelled, "but written");
  };
  const auto results = write_together({insert(1), refused, kept, insert(4)});
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code(), Errc::not_found);
  EXPECT_EQ(results[2].error().code(), Errc::cancelled);
  EXPECT_TRUE(results[3]);
  EXPECT_EQ(stored(), (Values{1, 3, 4}));
  EXPECT_EQ(heard_, (Ids{1, 3, 4}));
}

TEST_F(WriterTest, AnExceptionIsThatOfItsUnitAlone) {
  Work bug = [](Transaction& transaction) -> Result<int> {
    (void)insert(2)(transaction);
    throw std::logic_error("a bug");
  };
  Work wrong = [](Transaction& transaction) -> Result<int> {
    (void)insert(3)(transaction);
    return transaction.database().run("INSERT INTO nothing VALUES (1)");
  };
  const auto results = write_together({insert(1), bug, wrong, insert(4)});
  EXPECT_EQ(results[1].error().code(), Errc::internal);
  EXPECT_EQ(results[2].error().code(), Errc::unavailable);
  EXPECT_EQ(stored(), (Values{1, 4}));
  EXPECT_EQ(heard_, (Ids{1, 4}));
}

TEST_F(WriterTest, AFullDatabaseRefusesWhatDoesNotFitAndWorksOnceThereIsRoom) {
  Work fill = [](Transaction& transaction) -> Result<int> {
    auto& pages = transaction.database().statement("PRAGMA page_count");
    pages.next();
    const auto count = pages.integer(0);
    pages.reset();
    transaction.database().execute("PRAGMA max_page_count = " + std::to_string(count + 2));
    return 0;
  };
  run_to_end(writer_->write(std::move(fill))).value();
  const std::string large(100'000, 'x');

  const auto results = write_together({insert(1, large), insert(2, large), insert(3, large)});

  for (const auto& result : results) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::unavailable);
    EXPECT_EQ(result.error().public_name(), "DISK_FULL");
  }
  EXPECT_EQ(stored(), Values{});
  EXPECT_EQ(heard_, Ids{});

  Work room = [](Transaction& transaction) -> Result<int> {
    transaction.database().execute("PRAGMA max_page_count = 1000000");
    return 0;
  };
  run_to_end(writer_->write(std::move(room))).value();
  EXPECT_TRUE(write_together({insert(4, large)}).at(0));
  EXPECT_EQ(stored(), Values{4});
  EXPECT_EQ(heard_, Ids{4});
}

/// Files of this process grow no further than `bytes`: a full disk, without one.
class FileLimit {
 public:
  explicit FileLimit(std::uintmax_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    auto now = before_;
    now.rlim_cur = bytes;
    before_signal_ = std::signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &now), 0);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_signal_);
  }

 private:
  rlimit before_{};
  void (*before_signal_)(int) = nullptr;
};

TEST_F(WriterTest, ADiskThatRefusesTheCommitFailsEveryWaiterAndTellsNobody) {
  EXPECT_TRUE(write_together({insert(1)}).at(0));
  const auto log_size = std::filesystem::file_size(folder_.database().string() + "-wal");
  const std::string large(30'000, 'x');
  Work refused = [](Transaction&) -> Result<int> { return Error(Errc::not_found, "no"); };
  std::vector<Result<int>> results;
  {
    const FileLimit limit(std::max<std::uintmax_t>(log_size, 32'768) + 8'192);
    results = write_together({insert(2, large), insert(3, large), refused, insert(4, large)});
  }
  for (const auto& result : results) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::unavailable) << result.error().what();
  }
  EXPECT_EQ(stored(), Values{1});
  EXPECT_EQ(heard_, Ids{1});

  EXPECT_TRUE(write_together({insert(5, large)}).at(0));
  EXPECT_EQ(stored(), (Values{1, 5}));
  EXPECT_EQ(heard_, (Ids{1, 5}));
}

TEST_F(WriterTest, AJobThatDoesNotFitIsNeitherStoredNorTold) {
  const FakeClock clock;
  SqliteJobStore store(*writer_, live_, clock);
  auto job = new_job();
  job.body = std::string(200'000, 'x');
  const auto log_size = std::filesystem::file_size(folder_.database().string() + "-wal");
  {
    const FileLimit limit(std::max<std::uintmax_t>(log_size, 32'768) + 8'192);
    const auto refused = run_to_end(store.submit(job, 10));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::unavailable);
  }
  const auto again = run_to_end(store.submit(job, 10));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->existed);
  EXPECT_EQ(heard_.size(), 1U);
}

TEST_F(WriterTest, WhatTheDiskRefusedWhileItWasWrittenIsNotThereForWhoAsksNext) {
  const FakeClock clock;
  SqliteJobStore store(*writer_, live_, clock);
  auto job = new_job();
  job.body = std::string(2 * sqlite::Connection::kPageCache, 'x');  // is in the log before the commit
  const auto log_size = std::filesystem::file_size(folder_.database().string() + "-wal");
  {
    const FileLimit limit(std::max<std::uintmax_t>(log_size, 32'768) + 8'192);
    EXPECT_FALSE(run_to_end(store.submit(job, 10)));
  }
  Work count = [](Transaction& transaction) -> Result<int> {
    auto& row = transaction.database().statement("SELECT count(*) FROM submitted_jobs");
    row.next();
    const auto found = static_cast<int>(row.integer(0));
    row.reset();
    return found;
  };
  EXPECT_EQ(run_to_end(writer_->pass(count)).value(), 0);
  EXPECT_TRUE(run_to_end(store.submit(job, 10)));
  EXPECT_EQ(run_to_end(writer_->pass(std::move(count))).value(), 1);
  EXPECT_EQ(heard_.size(), 1U);
}

TEST_F(WriterTest, WhatIsAddedIsSeenByWhatComesBehindItAndByWhoAddsIt) {
  Work count = [](Transaction& transaction) -> Result<int> {
    auto& row = transaction.database().statement(
        "SELECT (SELECT count(*) FROM submitted_jobs) * 10 + (SELECT count(*) FROM events)");
    row.next();
    const auto found = static_cast<int>(row.integer(0));
    row.reset();
    return found;
  };
  Work add_and_count = [this, count](Transaction& transaction) -> Result<int> {
    add(transaction, 2);
    return count(transaction);
  };
  Work add_alone = [this](Transaction& transaction) -> Result<int> {
    add(transaction, 1);
    return 0;
  };
  const auto results = write_together({add_alone, count, add_and_count, count});
  EXPECT_EQ(results[1].value(), 11);
  EXPECT_EQ(results[2].value(), 22);
  EXPECT_EQ(results[3].value(), 22);
}

TEST_F(WriterTest, WhatAFailedUnitAddedIsNeitherStoredNorTold) {
  const auto adding = [this](int number, bool well) -> Work {
    return [this, number, well](Transaction& transaction) -> Result<int> {
      add(transaction, number);
      if (!well) return Error(Errc::not_found, "no");
      return number;
    };
  };
  const auto results = write_together({adding(1, true), adding(2, false), adding(1, true), adding(3, true)});
  EXPECT_TRUE(results[0]);
  EXPECT_FALSE(results[1]);
  EXPECT_FALSE(results[2]) << "the number is taken, which is seen late";
  EXPECT_TRUE(results[3]);
  EXPECT_EQ(heard_, (Ids{1, 3}));
  auto& rows = database_.statement("SELECT no, (SELECT id FROM events WHERE id = no) FROM submitted_jobs ORDER BY no");
  Ids found;
  while (rows.next()) {
    found.push_back(rows.integer(0));
    found.push_back(rows.integer(1));
  }
  EXPECT_EQ(found, (Ids{1, 1, 3, 3}));
}

TEST_F(WriterTest, ProgressIsFiledOnceThoughAChangeBesideItIsTakenBack) {
  const FakeClock clock;
  SqliteJobStore store(*writer_, live_, clock);
  auto job = new_job();
  ASSERT_TRUE(run_to_end(store.submit(job, 10)));
  auto lease = run_to_end(store.claim(jobs::ClaimRequest())).value().at(0).lease;
  ASSERT_TRUE(run_to_end(store.report(lease, jobs::ProgressReport{30, "s", "m", ""})));
  Work bug = [](Transaction& transaction) -> Result<int> {
    (void)insert(1)(transaction);
    throw std::logic_error("a bug");
  };
  must_file_next_ = true;
  EXPECT_FALSE(write_together({bug}).at(0));
  must_file_ = false;
  ASSERT_TRUE(run_to_end(store.report(lease, jobs::ProgressReport{40, "t", "m", ""})));
  EXPECT_TRUE(run_to_end(writer_->file()));
  EXPECT_TRUE(run_to_end(store.complete(lease, completion())));
  sqlite::Connection connection(folder_.database(), sqlite::Access::read_only);
  auto& rows = connection.statement("SELECT count(*), count(DISTINCT seq) FROM log");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 5);
  EXPECT_EQ(rows.integer(1), 5);
}

TEST_F(WriterTest, ALeaseThatWasRenewedHoldsWhenTheEndOfItsJobIsTakenBack) {
  FakeClock clock;
  SqliteJobStore store(*writer_, live_, clock);
  auto job = new_job();
  ASSERT_TRUE(run_to_end(store.submit(job, 10)));
  auto lease = run_to_end(store.claim(jobs::ClaimRequest())).value().at(0).lease;
  clock.advance(std::chrono::seconds(20));
  ASSERT_TRUE(run_to_end(store.renew(lease, std::chrono::seconds(30))));
  clock.advance(std::chrono::seconds(20));
  const std::string large(300'000, 'x');
  Work end = [this, &clock](Transaction& transaction) -> Result<int> {
    live_.end(JobId("019a0000-0000-7000-8000-000000000001"), clock.now());
    return transaction.database().run("UPDATE job_states SET state = 2, finished_at = ?", to_millis(clock.now()));
  };
  Work bug = [](Transaction& transaction) -> Result<int> {
    (void)insert(1)(transaction);
    throw std::logic_error("a bug");
  };
  const auto log_size = std::filesystem::file_size(folder_.database().string() + "-wal");
  {
    const FileLimit limit(std::max<std::uintmax_t>(log_size, 32'768) + 8'192);
    for (const auto& result : write_together({end, bug, insert(2, large)})) EXPECT_FALSE(result);
  }
  EXPECT_EQ(run_to_end(store.take_over(false)).value(), 0) << "the lease has ten seconds left";
  EXPECT_TRUE(run_to_end(store.complete(lease, completion())));
}

}  // namespace
}  // namespace rushes::store_sqlite
