#include "queue/schedule_runner.h"

#include "async/run.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gtest/gtest.h>

namespace rushes::queue {
namespace {

using namespace std::chrono_literals;
using schedules::Change;
using schedules::LastRun;
using schedules::Schedule;
using schedules::ScheduleId;

class NoRunner final : public AttemptRunner {
 public:
  int capacity() const override { return 1; }
  Task<AttemptEnd> run(jobs::Claimed, ProgressSink&) override { co_return AttemptEnd(); }
  void stop(JobId) override {}
  Task<> discard(AuditId) override { co_return; }
};

/// Forgets what came of runs while `loses` is set: a server that was killed before it could write that down.
class LossyStore final : public schedules::ScheduleStore {
 public:
  explicit LossyStore(schedules::ScheduleStore& store) : store_(store) {}
  Task<Result<Schedule>> add(Schedule schedule, int most) override { return store_.add(std::move(schedule), most); }
  Task<Result<std::vector<Schedule>>> list(UserId user) override { return store_.list(std::move(user)); }
  Task<Result<Schedule>> find(UserId user, ScheduleId id) override {
    return store_.find(std::move(user), std::move(id));
  }
  Task<Result<Schedule>> update(UserId user, ScheduleId id, Change change) override {
    return store_.update(std::move(user), std::move(id), std::move(change));
  }
  Task<Result<void>> remove(UserId user, ScheduleId id) override {
    return store_.remove(std::move(user), std::move(id));
  }
  Task<Result<std::vector<Schedule>>> due(int limit) override { return store_.due(limit); }
  Task<Result<std::optional<Timestamp>>> next_due() override { return store_.next_due(); }
  Task<Result<void>> record(ScheduleId id, std::optional<Timestamp> due, LastRun run) override {
    if (!loses) return store_.record(std::move(id), due, std::move(run));
    return lost();
  }

  bool loses = false;

 private:
  static Task<Result<void>> lost() { co_return Error(Errc::unavailable, "lost"); }
  schedules::ScheduleStore& store_;
};

/// Schedules over a real store in which no job ever starts. The clock stands at 2026-01-01T00:00:00Z.
class ScheduleRunnerTest : public ::testing::Test {
 protected:
  ~ScheduleRunnerTest() override { run_to_end(runner().stop()); }

  /// What a server has of its own; made anew as by a restart.
  struct Served {
    Served(store_sqlite::Store& store, const Clock& clock, Rng& rng, QueueLimits limits)
        : scheduler(loop.get_executor(), store.jobs(), store.queries(), attempts, rng, SchedulerOptions()),
          jobs(store.jobs(), store.queries(), scheduler, clock, rng, limits),
          lossy(store.schedules()),
          runner(loop.get_executor(), lossy, jobs, clock, ScheduleRunnerOptions{3, 1}) {}
    asio::io_context loop{1};
    NoRunner attempts;
    Scheduler scheduler;
    JobService jobs;
    LossyStore lossy;
    ScheduleRunner runner;
  };
  void restart(QueueLimits limits = {}) { served_ = std::make_unique<Served>(*store_, clock_, rng_, limits); }
  ScheduleRunner& runner() { return served_->runner; }
  LossyStore& lossy() { return served_->lossy; }

  Schedule add(const std::string& cron, bool unique = true) {
    Schedule schedule;
    schedule.id = ScheduleId(new_uuid(clock_, rng_));
    schedule.user = user_;
    schedule.cron = cron;
    schedule.unique = unique;
    schedule.job = {"transcript", "A title", "", R"({"size":5})", "words", "", 7};
    schedule.created_at = clock_.now();
    return run_to_end(store_->schedules().add(schedule, 100)).value();
  }
  /// Runs what is due; whether all of it is settled.
  template <class T>
  T on_loop(Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(served_->loop, std::move(task), [&result](std::exception_ptr failed, T value) {
      EXPECT_FALSE(failed);
      result.emplace(std::move(value));
    });
    // To its end: the store lets go of the loop a moment after it has resumed whoever waits there.
    served_->loop.restart();
    served_->loop.run();
    return std::move(*result);
  }
  bool run_due() { return on_loop(runner().run_due()); }
  Result<jobs::Submission> run_now(const Schedule& schedule) { return on_loop(runner().run_now(user_, schedule.id)); }

  std::vector<jobs::Job> all_jobs() {
    jobs::JobFilter filter;
    filter.limit = 100;
    return run_to_end(store_->queries().list(user_, filter)).value().jobs;
  }
  LastRun last(const Schedule& schedule) {
    return run_to_end(store_->schedules().find(user_, schedule.id)).value().last.value();
  }
  void end(const jobs::Job& job) { (void)run_to_end(store_->jobs().cancel(user_, job.id)).value(); }

  const UserId user_{"ann"};
  FakeClock clock_;
  SystemRng rng_;
  store_sqlite::TemporaryStore store_{clock_};
  std::unique_ptr<Served> served_ = std::make_unique<Served>(*store_, clock_, rng_, QueueLimits());
};

TEST_F(ScheduleRunnerTest, ADueTimeBecomesAJobLikeOneByHand) {
  const auto schedule = add("@hourly");
  EXPECT_TRUE(run_due());
  EXPECT_TRUE(all_jobs().empty());
  clock_.advance(1h);
  EXPECT_TRUE(run_due());
  EXPECT_TRUE(run_due());
  const auto jobs = all_jobs();
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].type, jobs::JobType::transcript);
  EXPECT_EQ(jobs[0].title, "A title");
  EXPECT_EQ(jobs[0].priority, 1) << "the highest that is allowed today";
  EXPECT_EQ(jobs[0].queue_position, 1);
  EXPECT_EQ(run_to_end(store_->queries().body_of(user_, jobs[0].id)).value(), "words");
  EXPECT_EQ(last(schedule).job, jobs[0].id);
  EXPECT_EQ(last(schedule).skipped, "");
  EXPECT_EQ(runner().counts().submitted.value(), 1U);
}

TEST_F(ScheduleRunnerTest, ARunThatWasCutOffIsNotDoneTwice) {
  const auto schedule = add("@hourly", false);
  clock_.advance(1h);
  lossy().loses = true;
  EXPECT_FALSE(run_due());
  ASSERT_EQ(all_jobs().size(), 1U);
  EXPECT_FALSE(run_due());
  end(all_jobs()[0]);
  // The next server comes an hour late, and with a limit that is used up.
  clock_.advance(1h + 20min);
  restart({20, 1});
  served_->jobs.charge(user_, 1).keep(1);
  EXPECT_TRUE(run_due());
  ASSERT_EQ(all_jobs().size(), 1U);
  EXPECT_EQ(last(schedule).job, all_jobs()[0].id);
  EXPECT_EQ(last(schedule).skipped, "");
  clock_.advance(40min);
  restart();
  EXPECT_TRUE(run_due());
  EXPECT_EQ(all_jobs().size(), 2U);
}

TEST_F(ScheduleRunnerTest, TwoServersMakeOneJob) {
  add("@hourly", false);
  clock_.advance(1h);
  Served other(*store_, clock_, rng_, QueueLimits());
  lossy().loses = true;  // so that the other finds it due still
  EXPECT_FALSE(run_due());
  bool done = false;
  asio::co_spawn(other.loop, other.runner.run_due(), [&done](std::exception_ptr, bool) { done = true; });
  other.loop.run();
  EXPECT_TRUE(done);
  lossy().loses = false;
  EXPECT_TRUE(run_due());
  EXPECT_EQ(all_jobs().size(), 1U);
}

TEST_F(ScheduleRunnerTest, MissedTimesAreOneJob) {
  add("*/5 * * * *", false);
  clock_.advance(3h);
  restart();
  EXPECT_TRUE(run_due());
  EXPECT_EQ(all_jobs().size(), 1U);
  clock_.advance(5min);
  EXPECT_TRUE(run_due());
  EXPECT_EQ(all_jobs().size(), 2U);
}

TEST_F(ScheduleRunnerTest, AUniqueScheduleWaitsForItsJobToEnd) {
  const auto schedule = add("@hourly");
  clock_.advance(1h);
  EXPECT_TRUE(run_due());
  clock_.advance(1h);
  EXPECT_TRUE(run_due());
  ASSERT_EQ(all_jobs().size(), 1U);
  EXPECT_EQ(last(schedule).skipped, "JOB_UNFINISHED");
  EXPECT_EQ(last(schedule).job, all_jobs()[0].id);
  EXPECT_EQ(runner().counts().skipped.value(), 1U);
  end(all_jobs()[0]);
  EXPECT_TRUE(run_due());
  EXPECT_EQ(all_jobs().size(), 1U) << "what was skipped is not made up for";
  clock_.advance(1h);
  EXPECT_TRUE(run_due());
  EXPECT_EQ(all_jobs().size(), 2U);
  EXPECT_EQ(last(schedule).skipped, "");
}

TEST_F(ScheduleRunnerTest, LimitsHoldAsByHand) {
  restart({1, 0});
  const auto first = add("@hourly", false);
  const auto second = add("1 * * * *", false);
  clock_.advance(1h + 1min);
  EXPECT_TRUE(run_due());
  EXPECT_EQ(all_jobs().size(), 1U);
  EXPECT_EQ(last(first).skipped + last(second).skipped, "QUEUE_LIMIT");
  restart({20, 1});
  clock_.advance(1h);
  EXPECT_TRUE(run_due());
  EXPECT_EQ(last(first).skipped + last(second).skipped, "RATE_LIMITED");
  EXPECT_EQ(all_jobs().size(), 2U);
}

TEST_F(ScheduleRunnerTest, ARunByHandLeavesTheRhythm) {
  const auto schedule = add("@hourly");
  const auto made = run_now(schedule).value();
  EXPECT_FALSE(made.existed);
  EXPECT_EQ(last(schedule).job, made.job.id);
  const auto again = run_now(schedule).value();
  EXPECT_EQ(again.job.id, made.job.id) << "it has not ended";
  EXPECT_EQ(last(schedule).skipped, "JOB_UNFINISHED");
  end(made.job);
  EXPECT_NE(run_now(schedule).value().job.id, made.job.id);
  EXPECT_EQ(run_to_end(store_->schedules().find(user_, schedule.id)).value().next_at, schedule.next_at);
  Schedule unknown = schedule;
  unknown.id = ScheduleId(new_uuid(clock_, rng_));
  EXPECT_EQ(run_now(unknown).error().public_name(), "SCHEDULE_NOT_FOUND");
}

TEST_F(ScheduleRunnerTest, ManyAreRun) {
  for (int i = 0; i < 40; ++i) add("@hourly");
  restart({100, 0});
  clock_.advance(1h);
  EXPECT_TRUE(run_due());
  EXPECT_EQ(all_jobs().size(), 40U);
}

TEST_F(ScheduleRunnerTest, ItRunsByItselfAndStops) {
  add("@hourly");
  runner().start();
  clock_.advance(1h);
  runner().wake();
  while (runner().counts().submitted.value() == 0) served_->loop.run_one();
  EXPECT_EQ(all_jobs().size(), 1U);
  spawn_detached(served_->loop.get_executor(), "test", runner().stop());
  served_->loop.run();
}

}  // namespace
}  // namespace rushes::queue
