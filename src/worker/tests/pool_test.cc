#include "worker/pool.h"

#include "async/run.h"
#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>

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

/// What this host gives, asked of a process of one thread.
const box::HostReport& host() {
  static const auto report = [] {
    const std::unique_ptr<FILE, int (*)(FILE*)> output(::popen(RUSHES_SCRIPTED_WORKER " box-check", "r"), &::pclose);
    std::string text(64U << 10U, ' ');
    text.resize(std::fread(text.data(), 1, text.size(), output.get()));
    return box::decode_host_report(text).value();
  }();
  return report;
}

class PoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // as the server is
    ASSERT_TRUE(folder_.prepare());
  }
  void TearDown() override { fs::remove_all(folder_.root()); }

  static PoolOptions options() {
    PoolOptions options;
    options.zygote.program = RUSHES_SCRIPTED_WORKER;
    if (host().keep_privileges) options.zygote.arguments = {"keep-privileges"};
    options.zygote.environment = {"PATH=/usr/bin:/bin"};
    options.identity = box::box_identity();
    options.walls = host().walls;
    options.fetch_without_network_wall = true;
    return options;
  }
  jobs::Claimed order(std::string body) {
    jobs::Claimed claimed;
    claimed.job.id = JobId(new_uuid(clock_, rng_));
    claimed.job.attempt = 1;
    claimed.body = std::move(body);
    return claimed;
  }
  jobs::Claimed url_order(std::string url) {
    auto claimed = order("");
    claimed.job.type = jobs::JobType::youtube;
    claimed.job.url = std::move(url);
    return claimed;
  }
  Task<queue::AttemptEnd> run_one(PoolOptions options, jobs::Claimed claimed) {
    Pool pool(co_await asio::this_coro::executor, folder_, blocking_, clock_, rng_, std::move(options));
    auto end = co_await pool.run(std::move(claimed), progress_);
    co_await pool.close();
    co_return end;
  }
  jobs::Failure failure_of(jobs::Claimed claimed, PoolOptions options) {
    const auto end = run_to_end(run_one(std::move(options), std::move(claimed)));
    EXPECT_TRUE(end.result && std::holds_alternative<jobs::Failure>(*end.result));
    return end.result && std::holds_alternative<jobs::Failure>(*end.result) ? std::get<jobs::Failure>(*end.result)
                                                                            : jobs::Failure();
  }
  jobs::Failure failure_of(std::string body, PoolOptions options = PoolTest::options()) {
    return failure_of(order(std::move(body)), std::move(options));
  }
  std::string title_of(jobs::Claimed claimed) {
    const auto end = run_to_end(run_one(options(), std::move(claimed)));
    const auto* done = end.result ? std::get_if<jobs::Completion>(&*end.result) : nullptr;
    EXPECT_NE(done, nullptr) << (end.result ? std::get<jobs::Failure>(*end.result).message : "stopped");
    return done == nullptr ? std::string() : done->title;
  }
  Task<queue::AttemptEnd> run_and_stop(jobs::Claimed claimed);
  Task<> run_kill_run();
  Task<> freeze_and_stop();
  Task<> run_beside_a_still_zygote();

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
  const auto failure = failure_of("crash");
  EXPECT_EQ(failure.code, "WORKER_CRASHED");
  EXPECT_THAT(failure.message, HasSubstr("signal 11"));
  EXPECT_TRUE(failure.retryable);
  EXPECT_THAT(failure_of("exit").message, HasSubstr("exit status 3"));
}

TEST_F(PoolTest, WhatACrashedWorkerMadeAndSaidIsKeptForTheNext) {
  EXPECT_EQ(failure_of("resume").log, "about to die\n");
  ASSERT_EQ(progress_.checkpoints.at("words"), "heard");
  auto again = order("resume");
  again.checkpoints = progress_.checkpoints;
  EXPECT_EQ(title_of(std::move(again)), "heard");
}

TEST_F(PoolTest, AWorkerThatSpeaksNonsenseIsEnded) {
  const auto failure = failure_of("garbage");
  EXPECT_EQ(failure.code, "WORKER_ERROR");
  EXPECT_FALSE(failure.retryable);
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
  missing.zygote.program = "/nothing/here";
  EXPECT_EQ(failure_of("work", missing).code, "SERVER_UNAVAILABLE");
}

TEST_F(PoolTest, AnUploadIsHandedInAsADescriptor) {
  auto claimed = order("work");
  claimed.job.type = jobs::JobType::upload;
  claimed.job.input = R"({"upload":")" + claimed.job.id.value() + R"("})";
  EXPECT_EQ(failure_of(claimed, options()).code, "UPLOAD_GONE");
  fs::create_directories(folder_.upload(claimed.job.id));
  ASSERT_TRUE(write_file_atomically(folder_.upload(claimed.job.id) / "source", "the upload", 0600));
  EXPECT_EQ(title_of(claimed), "the upload");
}

TEST_F(PoolTest, AUrlIsFetchedInOneBoxAndAnalysedInTheNext) {
  EXPECT_EQ(title_of(url_order("here")), "media of here, read");
  EXPECT_EQ(progress_.checkpoints.at("words"), "read");
  EXPECT_EQ(failure_of(url_order("link"), options()).code, "WORKER_ERROR") << "a link in the place of the media";
}

TEST_F(PoolTest, AUrlIsRefusedWhereItsFetchingCannotBeConfined) {
  auto open = options();
  open.walls.network = false;
  open.fetch_without_network_wall = false;
  const auto failure = failure_of(url_order("here"), open);
  EXPECT_EQ(failure.code, "SANDBOX_MISSING");
  EXPECT_FALSE(failure.retryable);
}

TEST_F(PoolTest, WhatIsNoPlainFileIsNotTakenOver) {
  auto weak = options();  // else none of it could be made
  weak.walls.seccomp = false;
  weak.walls.landlock = 0;
  for (const auto* kind : {"link", "pipe", "twice", "folder", "name", "away", "many"}) {
    const auto failure = failure_of(std::string("trap ") + kind, weak);
    EXPECT_EQ(failure.code, "WORKER_ERROR") << kind;
    EXPECT_FALSE(failure.retryable) << kind;
  }
}

TEST_F(PoolTest, AJobThatUsesUpItsMemoryOrItsDiskFailsWithThatReason) {
  auto small = options();
  small.max_memory_bytes = std::uint64_t{256} << 20U;
  EXPECT_EQ(failure_of("memory", small).code, "JOB_OUT_OF_MEMORY");
  small.max_fetch_bytes = std::uint64_t{1} << 20U;
  const auto failure = failure_of(url_order("disk"), small);
  EXPECT_EQ(failure.code, "JOB_OUT_OF_SPACE");
  EXPECT_FALSE(failure.retryable);
  EXPECT_TRUE(fs::is_empty(folder_.root() / "scratch"));
}

TEST_F(PoolTest, AFolderThatAJobHasClosedIsNoRoomForIt) {
  // Nothing is closed to root, which sees what lies in it.
  EXPECT_EQ(failure_of(url_order("hidden"), options()).code, ::geteuid() == 0 ? "WORKER_CRASHED" : "JOB_OUT_OF_SPACE");
  EXPECT_TRUE(fs::is_empty(folder_.root() / "scratch"));
}

/// Stops the attempt once its worker has said something.
Task<> stop_when_it_hangs(Pool& pool, JobId job, const Progress& progress) {
  for (int tries = 0; tries < 2000 && progress.reports.empty(); ++tries)
    co_await sleep_for(std::chrono::milliseconds(1));
  pool.stop(job);
}

TEST_F(PoolTest, StoppingGivesNoResultAndLeavesNothing) {
  const auto began = std::chrono::steady_clock::now();
  const auto end = run_to_end(run_and_stop(order("hang")));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
  EXPECT_FALSE(end.result);
  EXPECT_FALSE(progress_.reports.empty());
}

TEST_F(PoolTest, AZygoteThatDiedIsReplaced) { run_to_end(run_kill_run()); }

TEST_F(PoolTest, AZygoteThatStandsStillIsReplaced) { run_to_end(run_beside_a_still_zygote()); }

Task<queue::AttemptEnd> PoolTest::run_and_stop(jobs::Claimed claimed) {
  const auto executor = co_await asio::this_coro::executor;
  Pool pool(executor, folder_, blocking_, clock_, rng_, options());
  spawn_detached(executor, "test", stop_when_it_hangs(pool, claimed.job.id, progress_));
  auto end = co_await pool.run(std::move(claimed), progress_);
  co_await pool.close();
  co_return end;
}

Task<> PoolTest::run_kill_run() {
  Pool pool(co_await asio::this_coro::executor, folder_, blocking_, clock_, rng_, options());
  EXPECT_TRUE(pool.start());
  const auto zygote = pool.zygote();
  co_await pool.run(order("work"), progress_);
  EXPECT_EQ(pool.zygote(), zygote);
  ::kill(zygote, SIGKILL);
  const auto end = co_await pool.run(order("work"), progress_);
  EXPECT_TRUE(end.result && std::holds_alternative<jobs::Completion>(*end.result));
  EXPECT_NE(pool.zygote(), zygote);
  co_await pool.close();
}

TEST_F(PoolTest, AZygoteThatStandsStillHoldsUpNoCancelAndNoStop) { run_to_end(freeze_and_stop()); }

/// Stops the attempt while its box is being made: its scratch folder is there, and its zygote does not answer.
Task<> stop_at_launch(Pool& pool, JobId job, fs::path scratch) {
  for (int tries = 0; tries < 2000 && !fs::exists(scratch); ++tries) {
    co_await sleep_for(std::chrono::milliseconds(1));
  }
  pool.stop(job);
}

Task<> PoolTest::freeze_and_stop() {
  const auto executor = co_await asio::this_coro::executor;
  Pool pool(executor, folder_, blocking_, clock_, rng_, options());
  co_await pool.run(order("work"), progress_);
  ::kill(pool.zygote(), SIGSTOP);
  auto claimed = order("work");
  const auto began = std::chrono::steady_clock::now();
  spawn_detached(executor, "test",
                 stop_at_launch(pool, claimed.job.id, folder_.scratch(claimed.job.id, 1) / "analysis"));
  const auto end = co_await pool.run(std::move(claimed), progress_);
  EXPECT_FALSE(end.result);
  co_await pool.close();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
}

Task<> PoolTest::run_beside_a_still_zygote() {
  auto hasty = options();
  hasty.zygote.patience = std::chrono::seconds(2);
  Pool pool(co_await asio::this_coro::executor, folder_, blocking_, clock_, rng_, std::move(hasty));
  EXPECT_TRUE(pool.start());
  const auto zygote = pool.zygote();
  ::kill(zygote, SIGSTOP);
  const auto end = co_await pool.run(order("work"), progress_);
  EXPECT_TRUE(end.result && std::holds_alternative<jobs::Completion>(*end.result));
  EXPECT_NE(pool.zygote(), zygote);
  co_await pool.close();
}

}  // namespace
}  // namespace rushes::worker
