#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

namespace rushes::jobs {
namespace {

std::vector<std::int64_t> ids_of(const std::vector<Event>& events) {
  std::vector<std::int64_t> ids;
  for (const auto& event : events) ids.push_back(event.id);
  return ids;
}

TEST_P(JobStoreContract, EachUsersEventsAreNumberedFromOneWithoutGaps) {
  for (int i = 0; i < 3; ++i) {
    submit("ann");
    submit("bob");
  }
  (void)run_to_end(jobs().submit(request("ann"), 1));  // a refusal takes no number
  for (const auto& claimed : claim_up_to(4)) complete(claimed);
  for (const auto* user : {"ann", "bob"}) {
    std::int64_t expected = 0;
    for (const auto& event : events_of(user)) {
      EXPECT_EQ(event.seq, ++expected);
      EXPECT_EQ(event.user, UserId(user));
      EXPECT_EQ(event.at, clock_.now());
      const auto payload = payload_json(event);
      EXPECT_EQ(metadata_of(payload).at("seq"), event.seq);
      EXPECT_EQ(payload.at("jobId"), json::value(event.job.value()));
      EXPECT_EQ(payload.at("eventType"), json::value(to_string(event.type)));
    }
    EXPECT_EQ(expected, 7);
  }
}

TEST_P(JobStoreContract, TheLogIsReadInPieces) {
  for (int i = 0; i < 5; ++i) submit(i % 2 == 0 ? "ann" : "bob");
  const auto all = must(run_to_end(log().after(0, kNoLimit)));
  ASSERT_EQ(all.size(), 5U);

  std::vector<std::int64_t> pieces;
  for (std::int64_t last = 0;;) {
    const auto piece = must(run_to_end(log().after(last, 2)));
    if (piece.empty()) break;
    EXPECT_LE(piece.size(), 2U);
    for (const auto& event : piece) {
      EXPECT_GT(event.id, last);
      pieces.push_back(last = event.id);
    }
  }
  EXPECT_EQ(pieces, ids_of(all));

  const auto anns = must(run_to_end(log().of_user_after(UserId("ann"), 1, 1)));
  ASSERT_EQ(anns.size(), 1U);
  EXPECT_EQ(anns.at(0).seq, 2);
  EXPECT_TRUE(must(run_to_end(log().of_user_after(UserId("ann"), 3, 10))).empty());
  EXPECT_TRUE(must(run_to_end(log().of_user_after(UserId("cid"), 0, 10))).empty());

  const auto state = must(run_to_end(log().state()));
  EXPECT_EQ(state.last_id, all.back().id);
  EXPECT_GE(state.identity.size(), 32U);
  EXPECT_EQ(must(run_to_end(log().seq_at(UserId("ann"), anns.at(0).id))), 2);
  EXPECT_EQ(must(run_to_end(log().seq_at(UserId("ann"), anns.at(0).id - 1))), 1);
  EXPECT_EQ(must(run_to_end(log().seq_at(UserId("ann"), state.last_id + 10))), 3);
  EXPECT_EQ(must(run_to_end(log().seq_at(UserId("ann"), 0))), 0);

  // Each question sees what was written since the last, whatever that was.
  for (int i = 0; i < 6; ++i) {
    submit("ann");
    EXPECT_EQ(must(run_to_end(log().of_user_after(UserId("ann"), 3 + i, 10))).size(), 1U);
    EXPECT_EQ(must(run_to_end(log().state())).last_id, all.back().id + 1 + i);
    EXPECT_EQ(must(run_to_end(log().seq_at(UserId("ann"), all.back().id + 1 + i))), 4 + i);
  }
}

TEST_P(JobStoreContract, TheListenerHearsTheLog) {
  const auto claimed = begin("ann");
  submit("bob");
  complete(claimed);
  (void)run_to_end(jobs().cancel(claimed.job.user, claimed.job.id));  // refused: nothing to hear

  const auto log_now = must(run_to_end(log().after(0, kNoLimit)));
  const auto told = heard();

  ASSERT_EQ(told.size(), log_now.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].id, log_now[i].id);
    EXPECT_EQ(told[i].user, log_now[i].user);
    EXPECT_EQ(told[i].seq, log_now[i].seq);
    EXPECT_EQ(told[i].job, log_now[i].job);
    EXPECT_EQ(told[i].type, log_now[i].type);
    EXPECT_EQ(told[i].payload, log_now[i].payload);
    EXPECT_EQ(told[i].at, log_now[i].at);
  }
}

TEST_P(JobStoreContract, ProgressIsToldAtOnceAndOfEachStageTheFirstAndTheNewestAreFiled) {
  const auto claimed = begin("ann");
  const auto report = [&](const char* stage, int percent) {
    must(run_to_end(jobs().report(claimed.lease, ProgressReport{percent, stage, "", ""})));
  };
  for (const int percent : {20, 21, 22}) report("one", percent);
  for (const int percent : {30, 31, 32}) report("two", percent);

  const auto told = heard();
  ASSERT_EQ(told.size(), 8U);
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].seq, static_cast<std::int64_t>(i) + 1);
    if (i > 0) {
      EXPECT_GT(told[i].id, told[i - 1].id);
    }
    EXPECT_EQ(told[i].anchor, i < 2 ? 0 : told[1].id) << i;
  }
  EXPECT_EQ(must(run_to_end(log().state())).last_id, told.back().id);
  EXPECT_FALSE(must(run_to_end(log().has(claimed.job.user, told[3].id))));

  const auto percents = [&](std::int64_t seq) {
    std::vector<std::int64_t> filed;
    for (const auto& event : must(run_to_end(log().of_user_after(claimed.job.user, seq, kNoLimit)))) {
      filed.push_back(payload_json(event).at("progress").as_int64());
      EXPECT_TRUE(must(run_to_end(log().has(claimed.job.user, event.id))));
      EXPECT_FALSE(must(run_to_end(log().has(UserId("bob"), event.id))));
    }
    return filed;
  };
  EXPECT_EQ(percents(2), (std::vector<std::int64_t>{20, 22, 30, 32}));
  report("two", 40);
  report("two", 50);
  EXPECT_EQ(heard().back().anchor, told.back().id);
  EXPECT_EQ(percents(told.back().seq), (std::vector<std::int64_t>{50}));
  report("two", 60);
  report("two", 70);
  complete(claimed);
  EXPECT_EQ(percents(told.back().seq), (std::vector<std::int64_t>{50, 70, 100}));
}

TEST_P(JobStoreContract, WhatIsGivenHasNoGapsWhateverIsToldMeanwhile) {
  const auto claimed = begin("ann");
  int stages = 0;
  // Progress, which may be filed later, and behind it an event that is in the log at once.
  const auto tell = [&] {
    must(run_to_end(jobs().report(claimed.lease, ProgressReport{20, "stage " + std::to_string(++stages), "", ""})));
    submit("ann");
  };
  /// With something told between any two steps of the question.
  const auto ask = [&](auto question) {
    asio::io_context loop(1);
    std::vector<Event> given;
    asio::co_spawn(loop, std::move(question), [&](const std::exception_ptr& failed, Result<std::vector<Event>> events) {
      EXPECT_FALSE(failed);
      given = must(std::move(events));
    });
    while (loop.run_one() > 0) tell();
    return given;
  };
  for (const bool of_job : {false, true}) {
    const auto of = [&](std::int64_t seq) {
      return of_job ? log().of_job_after(claimed.job.user, claimed.job.id, seq, kNoLimit)
                    : log().of_user_after(claimed.job.user, seq, kNoLimit);
    };
    std::vector<std::int64_t> given;
    for (int i = 0; i < 3; ++i) {
      for (const auto& event : ask(of(given.empty() ? 0 : given.back()))) given.push_back(event.seq);
    }
    ASSERT_FALSE(given.empty());
    std::vector<std::int64_t> all;
    for (const auto& event : must(run_to_end(of(0)))) {
      if (event.seq <= given.back()) all.push_back(event.seq);
    }
    EXPECT_EQ(given, all);
  }
  EXPECT_GT(stages, 12) << "something was told between";
}

TEST_P(JobStoreContract, ProgressOfAJobThatBeganAnewAtOnceIsFiledOnce) {
  auto claimed = begin("ann");
  for (int i = 0; i < 3; ++i) {
    must(run_to_end(jobs().report(claimed.lease, ProgressReport{20, "one", "", ""})));
    complete(claimed);
    must(run_to_end(jobs().restart(claimed.job.user, claimed.job.id, kNoLimit)));
    claimed = claim();
  }
  must(run_to_end(jobs().report(claimed.lease, ProgressReport{20, "one", "", ""})));
  const auto filed = events_of("ann");
  ASSERT_EQ(filed.size(), heard().size());
  for (std::size_t i = 0; i < filed.size(); ++i) EXPECT_EQ(filed[i].seq, static_cast<std::int64_t>(i) + 1);
}

TEST_P(JobStoreContract, TheListenerHasHeardBeforeTheCallerKnows) {
  for (std::size_t i = 1; i <= 20; ++i) {
    submit("ann");
    EXPECT_EQ(heard().size(), i);
  }
}

TEST_P(JobStoreContract, ManyAtOnceAreHeardInTheOrderOfTheLog) {
  constexpr int kThreads = 8;
  constexpr int kEach = 40;
  std::vector<std::vector<NewJob>> wanted(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kEach; ++i) wanted[static_cast<std::size_t>(t)].push_back(request(t % 2 == 0 ? "ann" : "bob"));
  }
  std::vector<std::thread> threads;
  for (const auto& mine : wanted) {
    threads.emplace_back([this, &mine] {
      for (const auto& job : mine) must(run_to_end(jobs().submit(job, kNoLimit)));
    });
  }
  for (auto& thread : threads) thread.join();

  const auto all = must(run_to_end(log().after(0, kNoLimit)));
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kEach));
  EXPECT_EQ(ids_of(heard()), ids_of(all));
  for (const auto* user : {"ann", "bob"}) {
    std::int64_t expected = 0;
    for (const auto& event : events_of(user)) EXPECT_EQ(event.seq, ++expected);
  }
}

TEST_P(JobStoreContract, TwoWorkersNeverGetTheSameJob) {
  constexpr int kJobs = 60;
  for (int i = 0; i < kJobs; ++i) submit("user" + std::to_string(i % 7));
  std::mutex mutex;
  std::vector<JobId> begun;
  const auto work = [&] {
    ClaimRequest wanted;
    wanted.limit = 2;
    for (;;) {
      const auto claimed = must(run_to_end(jobs().claim(wanted)));
      if (claimed.empty()) return;
      const std::lock_guard lock(mutex);
      for (const auto& one : claimed) begun.push_back(one.job.id);
    }
  };
  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
  std::sort(begun.begin(), begun.end());
  EXPECT_EQ(begun.size(), static_cast<std::size_t>(kJobs));
  EXPECT_EQ(std::unique(begun.begin(), begun.end()), begun.end());
}

}  // namespace
}  // namespace rushes::jobs
