#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

#include <thread>

// Many in one request, and keys by which a submit gives a job again.

namespace rushes::jobs {
namespace {

NewJob with_unique_key(NewJob job, const char* key) {
  job.unique_key = key;
  return job;
}

TEST_P(JobStoreContract, ManyAreSubmittedInTheirOrder) {
  std::vector<NewJob> wanted;
  for (const auto* user : {"ann", "ann", "bob", "ann"}) wanted.push_back(request(user));
  const auto submitted = must(run_to_end(jobs().submit_all(wanted, 3)));

  ASSERT_EQ(submitted.size(), 4U);
  for (std::size_t i = 0; i < submitted.size(); ++i) {
    EXPECT_FALSE(submitted[i].existed);
    EXPECT_EQ(submitted[i].job.id, wanted[i].id);
    EXPECT_EQ(find(submitted[i].job).state, JobState::pending);
  }
  const auto events = events_of("ann");
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].job, wanted[0].id);
  EXPECT_EQ(events[1].job, wanted[1].id);
  EXPECT_EQ(events[2].job, wanted[3].id);
}

TEST_P(JobStoreContract, ManyAreSubmittedAllOrNone) {
  submit("ann");
  const std::vector<NewJob> wanted{request("ann"), request("ann"), request("ann")};

  const auto refused = run_to_end(jobs().submit_all(wanted, 3));

  EXPECT_EQ(name_of(refused), "QUEUE_LIMIT");
  for (const auto* number : {" 1 unfinished", " 3 more", " 3, the most"}) {
    EXPECT_NE(refused.error().public_message().find(number), std::string_view::npos) << refused.error().what();
  }
  for (const auto& job : wanted) EXPECT_EQ(find_error("ann", job.id), Errc::not_found);
  EXPECT_EQ(events_of("ann").size(), 1U);
  const auto never = run_to_end(jobs().submit_all(wanted, 2));
  EXPECT_EQ(name_of(never), "BULK_TOO_LARGE") << "whatever ends, they do not fit";
  EXPECT_EQ(never.error().code(), Errc::too_large);
  for (const auto* number : {" 3 new", " 2 unfinished"}) {
    EXPECT_NE(never.error().public_message().find(number), std::string_view::npos) << never.error().what();
  }
  EXPECT_TRUE(run_to_end(jobs().submit_all(wanted, 4)));
  EXPECT_TRUE(must(run_to_end(jobs().submit_all({}, 0))).empty());
}

TEST_P(JobStoreContract, TheSameKeysTwiceInOneRequestAreOneJob) {
  auto known = request("ann");
  known.idempotency_key = "known";
  const auto before = must(run_to_end(jobs().submit(known, kNoLimit))).job;
  std::vector<NewJob> wanted;
  for (int i = 0; i < 7; ++i) wanted.push_back(request("ann"));
  wanted[0].idempotency_key = wanted[3].idempotency_key = "once";
  wanted[1].unique_key = wanted[4].unique_key = "alone";
  wanted[2].idempotency_key = "known";
  wanted[5].idempotency_key = "another";
  wanted[5].unique_key = "alone";

  // Four with the one before: the limit counts jobs, not items.
  const auto submitted = must(run_to_end(jobs().submit_all(wanted, 4)));

  const std::vector<bool> existed{false, false, true, true, true, true, false};
  const std::vector<JobId> ids{wanted[0].id, wanted[1].id, before.id,   wanted[0].id,
                               wanted[1].id, wanted[1].id, wanted[6].id};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(submitted[i].existed, existed[i]) << i;
    EXPECT_EQ(submitted[i].job.id, ids[i]) << i;
  }
  EXPECT_EQ(events_of("ann").size(), 4U);
}

TEST_P(JobStoreContract, AUniqueKeyGivesTheUnfinishedJobThatHasIt) {
  const auto first = must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit))).job;
  EXPECT_EQ(first.unique_key, "nightly");
  EXPECT_EQ(find(first).unique_key, "nightly");

  const auto again = must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), 1)));
  EXPECT_TRUE(again.existed);
  EXPECT_EQ(again.job.id, first.id);
  EXPECT_FALSE(must(run_to_end(jobs().submit(with_unique_key(request("ann"), "weekly"), kNoLimit))).existed);
  EXPECT_FALSE(must(run_to_end(jobs().submit(with_unique_key(request("bob"), "nightly"), kNoLimit))).existed);

  const auto running = claim();
  ASSERT_EQ(running.job.id, first.id);
  EXPECT_EQ(must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit))).job.id, first.id);
}

TEST_P(JobStoreContract, AUniqueKeyIsFreeAgainAfterEachKindOfEnd) {
  const auto submit_it = [&] {
    const auto submitted = must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit)));
    EXPECT_FALSE(submitted.existed);
    return submitted.job;
  };
  submit_it();
  complete(claim());
  submit_it();
  must(run_to_end(jobs().fail(claim().lease, Failure{"BAD", "It is bad.", false, {}}, std::chrono::seconds(1))));
  const auto waiting = submit_it();
  must(run_to_end(jobs().cancel(waiting.user, waiting.id)));
  const auto running = submit_it();
  const auto claimed = claim();
  must(run_to_end(jobs().cancel(running.user, running.id)));
  // Not yet: something of it still runs.
  EXPECT_TRUE(must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit))).existed);
  must(run_to_end(jobs().confirm_cancelled(claimed.lease)));
  submit_it();
}

TEST_P(JobStoreContract, AJobThatWaitsForItsNextAttemptKeepsItsUniqueKey) {
  const auto job = must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit))).job;
  must(run_to_end(jobs().fail(claim().lease, Failure{"LATER", "Later.", true, {}}, std::chrono::seconds(60))));
  const auto again = must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit)));
  EXPECT_EQ(again.job.id, job.id);
}

TEST_P(JobStoreContract, AnIdempotencyKeyComesBeforeAUniqueKey) {
  auto first = with_unique_key(request("ann"), "nightly");
  first.idempotency_key = "once";
  must(run_to_end(jobs().submit(first, kNoLimit)));
  complete(claim());
  const auto second = must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit))).job;

  auto third = with_unique_key(request("ann"), "nightly");
  third.idempotency_key = "once";
  EXPECT_EQ(must(run_to_end(jobs().submit(third, kNoLimit))).job.id, first.id);
  third.idempotency_key = "twice";
  EXPECT_EQ(must(run_to_end(jobs().submit(third, kNoLimit))).job.id, second.id);
}

TEST_P(JobStoreContract, AnIdempotencyKeyWithAnotherRequestIsToldFromARepetition) {
  const auto keyed = [&](char digest) {
    auto job = request("ann");
    job.idempotency_key = "once";
    if (digest != ' ') job.request_digest = std::string(31, '\0') + digest;
    return job;
  };
  const auto first = must(run_to_end(jobs().submit(keyed('a'), kNoLimit))).job;
  const auto again = must(run_to_end(jobs().submit(keyed('a'), 0)));
  EXPECT_TRUE(again.existed);
  EXPECT_FALSE(again.reused);
  EXPECT_EQ(again.job.id, first.id);
  EXPECT_FALSE(must(run_to_end(jobs().submit(keyed(' '), 0))).reused) << "without a digest nothing is compared";
  complete(claim());
  for (const int most : {0, kNoLimit}) {
    const auto other = must(run_to_end(jobs().submit(keyed('b'), most)));
    EXPECT_TRUE(other.reused);
    EXPECT_EQ(other.job.id, first.id);
  }
  auto bobs = keyed('b');
  bobs.user = UserId("bob");
  EXPECT_FALSE(must(run_to_end(jobs().submit(bobs, kNoLimit))).existed);
  EXPECT_EQ(events_of("ann").size(), 3U);
}

TEST_P(JobStoreContract, OfManyNoneIsAddedWhereAKeyIsReused) {
  const auto keyed = [&](const char* key, char digest) {
    auto job = request("ann");
    job.idempotency_key = key;
    job.request_digest = std::string(32, digest);
    return job;
  };
  must(run_to_end(jobs().submit(keyed("known", 'a'), kNoLimit)));

  const auto before = must(run_to_end(jobs().submit_all({keyed("new", 'a'), keyed("known", 'b')}, kNoLimit)));
  EXPECT_FALSE(before[0].reused);
  EXPECT_TRUE(before[1].reused);
  const auto within =
      must(run_to_end(jobs().submit_all({keyed("new", 'a'), keyed("new", 'a'), keyed("new", 'b')}, kNoLimit)));
  EXPECT_FALSE(within[1].reused);
  EXPECT_TRUE(within[2].reused);
  EXPECT_EQ(events_of("ann").size(), 1U) << "all or none";
  EXPECT_FALSE(must(run_to_end(jobs().submit(keyed("new", 'c'), kNoLimit))).existed);
}

TEST_P(JobStoreContract, RestartIsRefusedWhileAnotherHasTheUniqueKey) {
  const auto first = must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit))).job;
  complete(claim());
  const auto second = must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit))).job;

  const auto refused = run_to_end(jobs().restart(first.user, first.id, kNoLimit));

  EXPECT_EQ(code_of(refused), Errc::conflict);
  EXPECT_EQ(name_of(refused), "UNIQUE_KEY_TAKEN");
  EXPECT_NE(refused.error().public_message().find(second.id.value()), std::string_view::npos);
  EXPECT_EQ(find(first).state, JobState::completed);
  EXPECT_EQ(told_of(first), "queued started completed");

  must(run_to_end(jobs().cancel(second.user, second.id)));
  must(run_to_end(jobs().restart(first.user, first.id, kNoLimit)));
  EXPECT_TRUE(must(run_to_end(jobs().submit(with_unique_key(request("ann"), "nightly"), kNoLimit))).existed);
  EXPECT_EQ(name_of(run_to_end(jobs().restart(second.user, second.id, kNoLimit))), "UNIQUE_KEY_TAKEN");
}

TEST_P(JobStoreContract, OfManyAtOnceWithOneUniqueKeyOneBecomesAJob) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 25;
  std::vector<std::vector<NewJob>> wanted(kThreads);
  for (auto& mine : wanted) {
    for (std::size_t i = 0; i < kEach; ++i) mine.push_back(with_unique_key(request("ann"), "nightly"));
  }
  std::mutex mutex;
  std::vector<JobId> given;
  int added = 0;
  std::vector<std::thread> threads;
  for (const auto& mine : wanted) {
    threads.emplace_back([&] {
      for (const auto& job : mine) {
        const auto submitted = must(run_to_end(jobs().submit(job, kNoLimit)));
        const std::lock_guard lock(mutex);
        given.push_back(submitted.job.id);
        added += submitted.existed ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(added, 1);
  EXPECT_EQ(std::count(given.begin(), given.end(), given.front()), static_cast<std::ptrdiff_t>(kThreads * kEach));
  EXPECT_EQ(events_of("ann").size(), 1U);
}

TEST_P(JobStoreContract, AJobForLaterSaysWhenUntilItIsInLine) {
  auto wanted = request("ann");
  wanted.run_at = clock_.now() + std::chrono::minutes(5);
  const auto submitted = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;
  for (const auto& job : {submitted, find(submitted)}) {
    EXPECT_EQ(job.run_at, wanted.run_at);
    EXPECT_FALSE(job.queue_position);
  }
  EXPECT_TRUE(claim_up_to(1).empty());
  clock_.advance(std::chrono::minutes(5));
  must(run_to_end(jobs().announce_positions(10)));
  EXPECT_FALSE(find(submitted).run_at);
  EXPECT_EQ(find(submitted).queue_position, 1);
  EXPECT_FALSE(claim().job.run_at);
}

}  // namespace
}  // namespace rushes::jobs
