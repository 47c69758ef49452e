#include "worker/pool.h"

#include "async/run.h"
#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>

namespace rushes::worker {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Progress final : queue::ProgressSink {
  Task<> report(jobs::ProgressReport report) override {
    reports.push_back(std::move(report));
    co_return;
  }
  Task<> checkpoint(std::string name, std::string data) override {
    checkpoints.emplace(std::move(name), std::move(data));
    co_return;
  }
  std::vector<jobs::ProgressReport> reports;
  std::map<std::string, std::string> checkpoints;
};

class PoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // as the server is
    ASSERT_TRUE(folder_.prepare());
  }
  void TearDown() override { fs::remove_all(folder_.root()); }

  PoolOptions options() const {
    PoolOptions options;
    options.process.program = RUSHES_SCRIPTED_WORKER;
    options.process.environment = {"PATH=/usr/bin:/bin"};
    return options;
  }
  jobs::Claimed order(std::string body) {
    jobs::Claimed claimed;
    claimed.job.id = JobId(new_uuid(clock_, rng_));
    claimed.job.attempt = 1;
    claimed.body = std::move(body);
    return claimed;
  }
  Task<queue::AttemptEnd> run_one(PoolOptions options, jobs::Claimed claimed) {
    Pool pool(co_await asio::this_coro::executor, folder_, blocking_, clock_, rng_, std::move(options));
    auto end = co_await pool.run(std::move(claimed), progress_);
    co_await pool.close();
    co_return end;
  }
  jobs::Failure failure_of(std::string body, PoolOptions options) {
    const auto end = run_to_end(run_one(std::move(options), order(std::move(body))));
    EXPECT_TRUE(end.result && std::holds_alternative<jobs::Failure>(*end.result));
    return end.result ? std::get<jobs::Failure>(*end.result) : jobs::Failure();
  }
  std::string pid_file(const jobs::Claimed& claimed) const {
    return (folder_.scratch(claimed.job.id, 1) / "child.pid").string();
  }
  Task<queue::AttemptEnd> run_and_stop(jobs::Claimed claimed, pid_t& child);
  Task<> run_kill_run();

  SystemClock clock_;
  SystemRng rng_;
  queue::DataFolder folder_{fs::temp_directory_path() / ("rushes-pool-" + SystemRng().token(6))};
  BlockingPool blocking_{1};
  Progress progress_;
};

TEST_F(PoolTest, KeepsWhatAFinishedAttemptMadeAndClearsItsScratch) {
  const auto end = run_to_end(run_one(options(), order("work")));
  ASSERT_TRUE(end.result && std::holds_alternative<jobs::Completion>(*end.result));
  const auto& completion = std::get<jobs::Completion>(*end.result);
  EXPECT_EQ(completion.title, "A title");
  const std::string url(completion.result.at("url").as_string());
  EXPECT_EQ(read_file(folder_.root() / url.substr(1)).value(), "kept");
  EXPECT_TRUE(fs::is_empty(folder_.root() / "scratch"));
  ASSERT_EQ(progress_.reports.size(), 1U);
  EXPECT_EQ(progress_.reports[0].percent, 40);
}

TEST_F(PoolTest, ACrashIsAFailedAttemptWithItsReason) {
  const auto failure = failure_of("crash", options());
  EXPECT_EQ(failure.code, "WORKER_CRASHED");
  EXPECT_THAT(failure.message, HasSubstr("signal 11"));
  EXPECT_TRUE(failure.retryable);
  EXPECT_THAT(failure_of("exit", options()).message, HasSubstr("exit status 3"));
}

TEST_F(PoolTest, WhatACrashedWorkerMadeAndSaidIsKeptForTheNext) {
  EXPECT_EQ(failure_of("resume", options()).log, "about to die\n");
  ASSERT_EQ(progress_.checkpoints.at("words"), "heard");

  auto again = order("resume");
  again.checkpoints = progress_.checkpoints;
  const auto end = run_to_end(run_one(options(), std::move(again)));

  ASSERT_TRUE(end.result && std::holds_alternative<jobs::Completion>(*end.result));
  EXPECT_EQ(std::get<jobs::Completion>(*end.result).title, "heard");
}

TEST_F(PoolTest, AWorkerThatSpeaksNonsenseIsEnded) {
  EXPECT_EQ(failure_of("garbage", options()).code, "WORKER_CRASHED");
  EXPECT_TRUE(fs::is_empty(folder_.root() / "scratch"));
}

TEST_F(PoolTest, AWorkerThatStandsStillIsLost) {
  auto patient = options();
  patient.silence = std::chrono::milliseconds(300);
  const auto failure = failure_of("freeze", patient);
  EXPECT_EQ(failure.code, "WORKER_LOST");
  EXPECT_TRUE(failure.retryable);
  patient.silence = std::chrono::milliseconds(2'000);
  const auto end = run_to_end(run_one(patient, order("slow")));
  EXPECT_TRUE(end.result && std::holds_alternative<jobs::Completion>(*end.result)) << "it said that it is alive";
}

TEST_F(PoolTest, AProgramThatIsNotThereIsTheServersFault) {
  auto missing = options();
  missing.process.program = "/nothing/here";
  EXPECT_EQ(failure_of("work", missing).code, "SERVER_UNAVAILABLE");
}

/// Stops the attempt once its worker has a child of its own, whose number it notes.
Task<> stop_when_it_hangs(Pool& pool, JobId job, std::string pid_file, pid_t& child) {
  for (int tries = 0; tries < 2000 && child == 0; ++tries) {
    const auto written = read_file(pid_file);
    if (written && written->ends_with('\n')) child = std::stoi(*written);
    co_await sleep_for(std::chrono::milliseconds(1));
  }
  pool.stop(job);
}

TEST_F(PoolTest, StoppingEndsTheWholeGroupAndGivesNoResult) {
  pid_t child = 0;
  const auto began = std::chrono::steady_clock::now();
  const auto end = run_to_end(run_and_stop(order("hang"), child));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
  EXPECT_FALSE(end.result);
  ASSERT_GT(child, 0);
  EXPECT_NE(::kill(child, 0), 0) << "the worker's own child lives on";
}

TEST_F(PoolTest, AWarmProcessTakesTheNextJobAndADeadOneIsReplaced) { run_to_end(run_kill_run()); }

Task<queue::AttemptEnd> PoolTest::run_and_stop(jobs::Claimed claimed, pid_t& child) {
  const auto executor = co_await asio::this_coro::executor;
  Pool pool(executor, folder_, blocking_, clock_, rng_, options());
  spawn_detached(executor, "test", stop_when_it_hangs(pool, claimed.job.id, pid_file(claimed), child));
  auto end = co_await pool.run(std::move(claimed), progress_);
  co_await pool.close();
  co_return end;
}

Task<> PoolTest::run_kill_run() {
  Pool pool(co_await asio::this_coro::executor, folder_, blocking_, clock_, rng_, options());
  for (int i = 0; i < 2; ++i) co_await pool.run(order("work"), progress_);
  EXPECT_EQ(progress_.reports.at(0).message, progress_.reports.at(1).message);
  const auto pid = std::stoi(progress_.reports.at(1).message.substr(4));
  ::kill(pid, SIGKILL);
  siginfo_t seen{};
  ::waitid(P_PID, static_cast<id_t>(pid), &seen, WEXITED | WNOWAIT);
  const auto end = co_await pool.run(order("work"), progress_);
  EXPECT_TRUE(end.result && std::holds_alternative<jobs::Completion>(*end.result));
  EXPECT_NE(progress_.reports.at(2).message, progress_.reports.at(1).message);
  co_await pool.close();
}

}  // namespace
}  // namespace rushes::worker
