#include "queue/scheduler.h"

#include "async/run.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>

namespace rushes::queue {
namespace {

using namespace std::chrono_literals;

/// A store whose disk takes what is written and does not say so in time, while `late` is set: the caller is told
/// `unavailable`, and the change stands.
class LateStore final : public jobs::JobStore {
 public:
  explicit LateStore(jobs::JobStore& store) : store_(store) {}
  Task<Result<jobs::Submission>> submit(jobs::NewJob job, int most) override {
    return store_.submit(std::move(job), most);
  }
  Task<Result<std::vector<jobs::Submission>>> submit_all(std::vector<jobs::NewJob> jobs, int most) override {
    return store_.submit_all(std::move(jobs), most);
  }
  Task<Result<std::vector<jobs::Claimed>>> claim(jobs::ClaimRequest request) override {
    auto claimed = co_await store_.claim(request);
    if (claimed && !claimed->empty() && late_claims > 0 && late_claims-- > 0)
      co_return Error(Errc::unavailable, "late");
    co_return claimed;
  }
  Task<Result<jobs::Lease>> renew(jobs::Lease lease, std::chrono::milliseconds length) override {
    return store_.renew(std::move(lease), length);
  }
  Task<Result<void>> report(jobs::Lease lease, jobs::ProgressReport report) override {
    return store_.report(std::move(lease), std::move(report));
  }
  Task<Result<void>> save_checkpoint(jobs::Lease lease, std::string name, std::string data) override {
    return store_.save_checkpoint(std::move(lease), std::move(name), std::move(data));
  }
  Task<Result<void>> complete(jobs::Lease lease, jobs::Completion completion) override {
    const auto written = co_await store_.complete(std::move(lease), std::move(completion));
    if (late > 0 && late-- > 0) co_return Error(Errc::unavailable, "late");
    co_return written;
  }
  Task<Result<jobs::AfterFailure>> fail(jobs::Lease lease, jobs::Failure failure,
                                        std::chrono::milliseconds pause) override {
    return store_.fail(std::move(lease), std::move(failure), pause);
  }
  Task<Result<void>> release(jobs::Lease lease) override { return store_.release(std::move(lease)); }
  Task<Result<jobs::CancelOutcome>> cancel(UserId user, JobId job) override {
    return store_.cancel(std::move(user), std::move(job));
  }
  Task<Result<void>> confirm_cancelled(jobs::Lease lease) override {
    return store_.confirm_cancelled(std::move(lease));
  }
  Task<Result<jobs::Job>> restart(UserId user, JobId job, int most) override {
    return store_.restart(std::move(user), std::move(job), most);
  }
  Task<Result<jobs::Redriven>> redrive(jobs::DeadFilter filter) override { return store_.redrive(std::move(filter)); }
  Task<Result<void>> set_type(jobs::JobType type, jobs::TypeSettings settings) override {
    return store_.set_type(type, settings);
  }
  Task<Result<int>> take_over(bool all) override { return store_.take_over(all); }
  Task<Result<int>> announce_positions(int limit) override { return store_.announce_positions(limit); }

  int late = 0;
  int late_claims = 0;

 private:
  jobs::JobStore& store_;
};

/// Ends each attempt at once, in the way that is next; the last way again and again.
class ScriptedRunner final : public AttemptRunner {
 public:
  int capacity() const override { return slots; }
  Task<AttemptEnd> run(jobs::Claimed, ProgressSink&) override {
    if (++runs == 1 && meanwhile) co_await meanwhile();
    auto end = ends.front();
    if (ends.size() > 1) ends.pop_front();
    co_return end;
  }
  void stop(JobId) override {}
  Task<> discard(AuditId audit) override {
    discarded.push_back(audit);
    co_return;
  }

  int slots = 1;
  int runs = 0;
  std::deque<AttemptEnd> ends;
  std::function<Task<>()> meanwhile;  // while the first attempt runs
  std::vector<AuditId> discarded;
};

/// A scheduler over a real store.
class SchedulerTest : public ::testing::Test {
 protected:
  void start(SchedulerOptions options = {}) {
    scheduler_ = std::make_unique<Scheduler>(loop_.get_executor(), late_, store_->queries(), runner_, rng_, options);
    spawn_detached(loop_.get_executor(), "test", scheduler_->start());
  }
  ~SchedulerTest() override {
    if (!scheduler_) return;
    spawn_detached(loop_.get_executor(), "test", scheduler_->stop());
    loop_.restart();
    loop_.run_for(5s);
  }

  AttemptEnd completion() {
    jobs::Completion made;
    made.audit = AuditId(new_uuid(clock_, rng_));
    made.title = "A title";
    return {AttemptResult(made)};
  }
  static AttemptEnd failure(bool retryable) {
    return {AttemptResult(jobs::Failure{"UNAVAILABLE", "No room.", retryable, {}})};
  }
  /// Starts on a disk that is full once the first attempt runs, until `room_` is true again.
  void start_on_a_disk_that_fills_up() {
    SchedulerOptions options;
    options.has_room = [this] { return room_ ? Result<void>() : Error(Errc::unavailable, "full"); };
    runner_.meanwhile = [this]() -> Task<> {
      room_ = false;
      co_return;
    };
    start(options);
  }
  JobId submit(std::optional<Timestamp> run_at = std::nullopt) {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = user_;
    job.body = "words";
    job.run_at = run_at;
    const auto id = job.id;
    run_to_end(store_->jobs().submit(std::move(job), 1'000)).value();
    if (scheduler_) scheduler_->wake();
    return id;
  }
  jobs::Job find(const JobId& job) { return run_to_end(store_->queries().find(user_, job)).value(); }
  /// Runs the scheduler until it is so.
  template <class Condition>
  bool comes(Condition condition, std::chrono::milliseconds within = 10s) {
    const auto end = std::chrono::steady_clock::now() + within;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      loop_.restart();
      loop_.run_for(10ms);
    }
    return condition();
  }

  const UserId user_{"ann"};
  SystemClock clock_;
  SystemRng rng_;
  store_sqlite::TemporaryStore store_{clock_};
  LateStore late_{store_->jobs()};
  ScriptedRunner runner_;
  bool room_ = true;
  asio::io_context loop_{1};
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, AResultThatStandsThoughItsWritingWasLateKeepsItsFiles) {
  runner_.ends = {completion()};
  late_.late = 2;
  start();
  const auto job = submit();

  ASSERT_TRUE(comes([&] { return scheduler_->running() == 0 && late_.late == 0 && runner_.runs == 1; }));

  EXPECT_EQ(find(job).state, jobs::JobState::completed);
  EXPECT_TRUE(runner_.discarded.empty());
}

TEST_F(SchedulerTest, WhatALateClaimBeganIsWorkedOffByWhoAsksAgain) {
  runner_.ends = {completion()};
  late_.late_claims = 1;
  start();
  const auto job = submit();

  ASSERT_TRUE(comes([&] { return find(job).state == jobs::JobState::completed; }));

  EXPECT_EQ(find(job).attempt, 1);
  EXPECT_EQ(late_.late_claims, 0);
}

TEST_F(SchedulerTest, AStopHandsBackWhatALateClaimBegan) {
  runner_.ends = {completion()};
  late_.late_claims = 1;
  start();
  const auto job = submit();
  ASSERT_TRUE(comes([&] { return late_.late_claims == 0; }));
  EXPECT_EQ(find(job).state, jobs::JobState::processing);

  bool stopped = false;
  const auto stop = [&]() -> Task<> {
    co_await scheduler_->stop();
    stopped = true;
  };
  spawn_detached(loop_.get_executor(), "test", stop());
  ASSERT_TRUE(comes([&] { return stopped; }));

  EXPECT_EQ(find(job).state, jobs::JobState::pending);
  EXPECT_EQ(runner_.runs, 0);
}

TEST_F(SchedulerTest, AResultOfALostLeaseLosesItsFiles) {
  runner_.ends = {completion(), completion()};
  runner_.meanwhile = [this]() -> Task<> { (co_await store_->jobs().take_over(true)).value(); };
  start();
  const auto job = submit();

  ASSERT_TRUE(comes([&] { return runner_.runs == 2 && scheduler_->running() == 0; }));

  EXPECT_EQ(find(job).state, jobs::JobState::completed);
  ASSERT_EQ(runner_.discarded.size(), 1U);
  EXPECT_NE(runner_.discarded[0], find(job).audit);
}

TEST_F(SchedulerTest, NothingIsBegunWithoutRoomAndWhatFailsThenIsHandedBack) {
  runner_.ends = {failure(true), completion()};
  start_on_a_disk_that_fills_up();
  const auto job = submit();

  ASSERT_TRUE(comes([&] { return runner_.runs == 1 && scheduler_->running() == 0; }));
  EXPECT_FALSE(comes([&] { return runner_.runs > 1; }, 300ms)) << "it is not tried again while the disk is full";
  EXPECT_EQ(find(job).state, jobs::JobState::pending);
  room_ = true;
  ASSERT_TRUE(comes([&] { return find(job).state == jobs::JobState::completed; }));
  const auto attempts = run_to_end(store_->queries().attempts(user_, job)).value();
  const auto handed_back = [](const jobs::Attempt& one) { return one.outcome == jobs::AttemptOutcome::handed_back; };
  EXPECT_EQ(std::count_if(attempts.begin(), attempts.end(), handed_back), 1) << "uncounted";
}

TEST_F(SchedulerTest, AFailureForGoodIsOneAlsoWithoutRoom) {
  runner_.ends = {failure(false)};
  start_on_a_disk_that_fills_up();
  const auto job = submit();
  ASSERT_TRUE(comes([&] { return runner_.runs == 1 && scheduler_->running() == 0; }));
  EXPECT_EQ(find(job).state, jobs::JobState::failed);
}

TEST_F(SchedulerTest, WhoseTimeComesWhileAllAreBusyIsToldWhereItStands) {
  runner_.slots = 0;
  SchedulerOptions options;
  options.position_interval = 20ms;
  start(options);
  const auto job = submit(clock_.now() + 300ms);
  EXPECT_FALSE(find(job).queue_position);

  ASSERT_TRUE(comes([&] { return find(job).queue_position.has_value(); })) << "with nobody else who comes or goes";
  EXPECT_EQ(find(job).queue_position, 1);
}

}  // namespace
}  // namespace rushes::queue
