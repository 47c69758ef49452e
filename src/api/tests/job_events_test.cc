#include "api/job_events.h"

#include "api/tests/context_fixture.h"
#include "async/run.h"

#include <thread>

namespace rushes::api {
namespace {

using Source = std::unique_ptr<net::BodySource>;

template <class T>
T must(Result<T> result) {
  return std::move(result.value());
}

/// An event as a client reads it.
struct Told {
  std::int64_t id = 0;
  std::string type;
  std::string data;
};

std::vector<Told> parse(std::string_view text) {
  std::vector<Told> all;
  while (!text.empty()) {
    auto block = text.substr(0, text.find("\n\n"));
    text.remove_prefix(block.size() + 2);
    Told told;
    while (!block.empty()) {
      const auto line = block.substr(0, block.find('\n'));
      block.remove_prefix(std::min(block.size(), line.size() + 1));
      const std::string value(line.substr(std::min(line.size(), line.find(": ") + 2)));
      if (line.starts_with("id: ")) told.id = std::stoll(value);
      if (line.starts_with("event: ")) told.type = value;
      if (line.starts_with("data: ")) told.data = value;
    }
    if (!told.type.empty()) all.push_back(told);
  }
  return all;
}

class JobEventsTest : public ContextFixture {
 protected:
  Task<jobs::Job> submit(const char* user = "ann") {
    jobs::NewJob job;
    job.id = context().jobs.new_job_id();
    job.user = UserId(user);
    co_return must(co_await context().jobs.submit(std::move(job))).job;
  }
  Task<jobs::Claimed> begin() {
    const auto job = co_await submit();
    co_return co_await claim();
  }
  Task<jobs::Claimed> claim() {
    jobs::ClaimRequest wanted;
    co_return must(co_await store().jobs().claim(wanted)).at(0);
  }
  Task<> report(const jobs::Lease& lease, int percent) {
    jobs::ProgressReport progress{percent, "stage", "", ""};
    (co_await store().jobs().report(lease, std::move(progress))).value();
  }
  Task<> complete(const jobs::Lease& lease) {
    jobs::Completion completion;
    completion.audit = AuditId(context().jobs.new_job_id().value());
    completion.result = {{"summary", "of\ntwo lines"}};
    (co_await store().jobs().complete(lease, std::move(completion))).value();
  }
  Task<Source> follow(const jobs::Job& job, std::int64_t seq = 0) {
    co_return must(co_await follow_job(context(), identity(job.user), job.id, seq));
  }
  auth::Identity identity(const UserId& user) const { return {user, "", clock_.now() + std::chrono::hours(1)}; }
  /// All until it ends.
  static Task<std::vector<Told>> rest(net::BodySource& source) {
    std::string text;
    for (;;) {
      const auto piece = must(co_await source.next());
      if (piece.empty()) co_return parse(text);
      text += piece;
    }
  }
  static std::string words(const std::vector<Told>& all) {
    std::string words;
    for (const auto& told : all) words += told.type.substr(4) + ":" + std::to_string(told.id) + " ";
    return words;
  }

 private:
};

TEST_F(JobEventsTest, WhatWasAndWhatComesInOneStream) {
  const auto scenario = [&]() -> Task<> {
    const auto claimed = co_await begin();
    auto source = co_await follow(claimed.job);
    const auto first = must(co_await source->next());
    EXPECT_TRUE(first.starts_with("retry: 2000\nid: 1\nevent: job-queued\ndata: {\"jobId\":")) << first;
    EXPECT_EQ(words(parse(first)), "queued:1 started:2 ");
    co_await report(claimed.lease, 40);
    EXPECT_EQ(words(parse(must(co_await source->next()))), "progress:3 ");
    co_await submit();  // another job's event is not told
    co_await complete(claimed.lease);
    const auto last = co_await rest(*source);
    EXPECT_EQ(words(last), "completed:5 ");
    EXPECT_EQ(parse_json(last.at(0).data)->at("result").at("summary"), "of\ntwo lines");
  };
  run_to_end(scenario());
  EXPECT_EQ(streams_.followers(), 0U);
}

TEST_F(JobEventsTest, GoesOnBehindTheLastEventThatWasSeen) {
  const auto scenario = [&]() -> Task<> {
    const auto claimed = co_await begin();
    co_await complete(claimed.lease);
    auto source = co_await follow(claimed.job, 1);
    const auto missed = co_await rest(*source);
    EXPECT_EQ(words(missed), "started:2 completed:3 ");
    const auto nothing = co_await follow(claimed.job, 3);
    EXPECT_EQ(nothing, nullptr) << "it has ended, all was seen";
    (co_await context().jobs.restart(claimed.job.user, claimed.job.id)).value();
    auto again = co_await follow(claimed.job, 3);
    EXPECT_EQ(words(parse(must(co_await again->next()))), "queued:4 ");
    const auto restarted = co_await claim();
    co_await complete(restarted.lease);
    const auto second_end = co_await rest(*again);
    EXPECT_EQ(words(second_end), "started:5 completed:6 ");
    auto all = co_await follow(claimed.job);
    const auto both = co_await rest(*all);
    EXPECT_EQ(words(both), "queued:1 started:2 completed:3 queued:4 started:5 completed:6 ");
  };
  run_to_end(scenario());
}

TEST_F(JobEventsTest, WhoIsAheadOfTheLogBeginsAnew) {
  const auto scenario = [&]() -> Task<> {
    constexpr std::int64_t kAhead = 999'999'999'999;
    const auto claimed = co_await begin();
    auto source = co_await follow(claimed.job, kAhead);
    EXPECT_EQ(words(parse(must(co_await source->next()))), "queued:1 started:2 ");
    co_await complete(claimed.lease);
    const auto last = co_await rest(*source);
    EXPECT_EQ(words(last), "completed:3 ");
    auto ended = co_await follow(claimed.job, kAhead);
    const auto all = co_await rest(*ended);
    EXPECT_EQ(words(all), "queued:1 started:2 completed:3 ");
    const auto nothing = co_await follow(claimed.job, 4);
    EXPECT_EQ(nothing, nullptr) << "it may have seen another job's event, or progress that a crash took";
  };
  run_to_end(scenario());
}

TEST_F(JobEventsTest, WhoHasSeenALittleMoreIsToldNothingTwiceAndTheEnd) {
  const auto scenario = [&]() -> Task<> {
    const auto claimed = co_await begin();
    auto source = co_await follow(claimed.job, 9);
    EXPECT_EQ(must(co_await source->next()), "retry: 2000\n");
    co_await complete(claimed.lease);
    const auto last = co_await rest(*source);
    EXPECT_EQ(words(last), "completed:3 ");
  };
  run_to_end(scenario());
}

TEST_F(JobEventsTest, AnothersJobIsNotThere) {
  const auto scenario = [&]() -> Task<> {
    const auto job = co_await submit();
    const auto refused = co_await follow_job(context(), identity(UserId("bob")), job.id, 0);
    EXPECT_EQ(refused.error().code(), Errc::not_found);
  };
  run_to_end(scenario());
  EXPECT_EQ(streams_.followers(), 0U);
}

TEST_F(JobEventsTest, ALongLogIsReadInPages) {
  const auto scenario = [&]() -> Task<> {
    const auto job = co_await submit();
    for (int i = 0; i < 120; ++i) {
      (co_await context().jobs.cancel(job.user, job.id)).value();
      (co_await context().jobs.restart(job.user, job.id)).value();
    }
    (co_await context().jobs.cancel(job.user, job.id)).value();
    auto source = co_await follow(job);
    const auto all = co_await rest(*source);
    EXPECT_EQ(all.size(), 242U);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].id, static_cast<std::int64_t>(i) + 1);
  };
  run_to_end(scenario());
}

TEST_F(JobEventsTest, WhoFallsBehindIsServedFromTheLog) {
  const auto scenario = [&]() -> Task<> {
    const auto job = co_await submit();
    auto source = co_await follow(job);
    EXPECT_EQ(words(parse(must(co_await source->next()))), "queued:1 ");
    for (int i = 0; i < 300; ++i) {
      (co_await context().jobs.cancel(job.user, job.id)).value();
      (co_await context().jobs.restart(job.user, job.id)).value();
    }
    (co_await context().jobs.cancel(job.user, job.id)).value();
    const auto all = co_await rest(*source);
    EXPECT_EQ(all.size(), 601U);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].id, static_cast<std::int64_t>(i) + 2);
  };
  run_to_end(scenario());
}

TEST_F(JobEventsTest, WhereManyWaitNewerProgressReplacesOlder) {
  const auto scenario = [&]() -> Task<> {
    const auto claimed = co_await begin();
    auto source = co_await follow(claimed.job);
    must(co_await source->next());
    for (int i = 0; i < 50; ++i) co_await report(claimed.lease, 20 + i);
    const auto told = parse(must(co_await source->next()));
    EXPECT_EQ(told.size(), 16U);
    for (std::size_t i = 0; i + 1 < told.size(); ++i) EXPECT_EQ(told[i].id, static_cast<std::int64_t>(i) + 3);
    EXPECT_EQ(told.back().id, 52);
  };
  run_to_end(scenario());
}

TEST_F(JobEventsTest, TheEndOfTheTokenEndsIt) {
  const auto scenario = [&]() -> Task<> {
    const auto job = co_await submit();
    auto source = co_await follow(job);
    must(co_await source->next());
    clock_.advance(std::chrono::hours(2));
    const auto last = co_await rest(*source);
    EXPECT_EQ(last.size(), 1U);
    EXPECT_EQ(last.at(0).type, "auth-error");
    EXPECT_EQ(parse_json(last.at(0).data)->at("code"), "TOKEN_EXPIRED");
  };
  run_to_end(scenario());
}

TEST_F(JobEventsTest, StopEndsAWait) {
  const auto scenario = [&]() -> Task<> {
    const auto job = co_await submit();
    auto source = co_await follow(job);
    must(co_await source->next());
    const Executor executor = co_await asio::this_coro::executor;
    asio::post(executor, [&source] { source->stop(); });
    EXPECT_EQ(must(co_await source->next()), "");
    EXPECT_EQ(must(co_await source->next()), "");
  };
  run_to_end(scenario());
}

TEST_F(JobEventsTest, NoneIsMissedOrToldTwiceWhereverAReaderComesIn) {
  constexpr int kReaders = 24;
  const auto claimed = run_to_end(begin());
  std::atomic<int> reported{0};
  const auto work = [&]() -> Task<> {
    for (int i = 0; i < 2'000; ++i) {
      co_await report(claimed.lease, 20 + i / 40);
      ++reported;
    }
    co_await complete(claimed.lease);
  };
  const auto read = [&]() -> Task<std::vector<Told>> {
    auto source = co_await follow(claimed.job);
    auto all = co_await rest(*source);
    co_return all;
  };
  std::vector<std::vector<Told>> heard(kReaders);
  std::thread worker([&] { run_to_end(work()); });
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] {
      while (reported < i * 80) std::this_thread::yield();
      heard[static_cast<std::size_t>(i)] = run_to_end(read());
    });
  }
  worker.join();
  for (auto& reader : readers) reader.join();
  for (const auto& all : heard) {
    ASSERT_GE(all.size(), 3U);
    EXPECT_EQ(all[0].type, "job-queued");
    EXPECT_EQ(all[1].type, "job-started");
    EXPECT_EQ(all.back().type, "job-completed");
    for (std::size_t i = 1; i < all.size(); ++i) EXPECT_GT(all[i].id, all[i - 1].id);
  }
}

}  // namespace
}  // namespace rushes::api
