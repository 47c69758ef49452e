#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

namespace rushes::jobs {
namespace {

TEST_P(JobStoreContract, SubmitStoresAllThatWasGiven) {
  auto wanted = request("ann");
  wanted.type = JobType::youtube;
  wanted.title = "A \"film\"\nof two lines";
  wanted.url = "https://example.org/watch?v=1";
  wanted.input = R"({"configuration":{"tone":"dry"}})";
  wanted.body = std::string(100'000, 'x');
  wanted.retry_of = JobId("earlier");
  wanted.max_attempts = 7;

  const auto submission = must(run_to_end(jobs().submit(wanted, kNoLimit)));

  EXPECT_FALSE(submission.existed);
  const auto job = find(submission.job);
  EXPECT_EQ(job.id, wanted.id);
  EXPECT_EQ(job.user, wanted.user);
  EXPECT_EQ(job.type, JobType::youtube);
  EXPECT_EQ(job.state, JobState::pending);
  EXPECT_EQ(job.progress, 0);
  EXPECT_EQ(job.stage, "queued");
  EXPECT_EQ(job.message, "Job queued at position 1");
  EXPECT_EQ(job.title, wanted.title);
  EXPECT_EQ(job.url, wanted.url);
  EXPECT_EQ(job.input, wanted.input);
  EXPECT_EQ(job.attempt, 0);
  EXPECT_EQ(job.max_attempts, 7);
  EXPECT_FALSE(job.cancel_requested);
  EXPECT_FALSE(job.restarted);
  EXPECT_EQ(job.retry_of, wanted.retry_of);
  EXPECT_FALSE(job.audit);
  EXPECT_FALSE(job.failure);
  EXPECT_EQ(job.queue_position, 1);
  EXPECT_EQ(job.created_at, clock_.now());
  EXPECT_FALSE(job.processed_at);
  EXPECT_FALSE(job.finished_at);
  EXPECT_EQ(must(run_to_end(queries().body_of(wanted.user, wanted.id))), wanted.body);
}

TEST_P(JobStoreContract, SubmitTellsJobQueued) {
  auto wanted = request("ann");
  wanted.title = "Film";
  wanted.url = "https://example.org/v";
  wanted.type = JobType::upload;
  wanted.retry_of = JobId("earlier");

  const auto job = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;

  const auto payload = last_payload(job);
  EXPECT_EQ(payload.at("jobId"), json::value(job.id.value()));
  EXPECT_EQ(payload.at("eventType"), "job-queued");
  EXPECT_EQ(payload.at("progress"), 0);
  EXPECT_EQ(payload.at("stage"), "queued");
  EXPECT_EQ(payload.at("message"), "Job queued at position 1");
  EXPECT_FALSE(payload.contains("error"));
  EXPECT_FALSE(payload.contains("result"));
  const json::object expected{{"videoTitle", "Film"},
                              {"videoUrl", "https://example.org/v"},
                              {"jobType", "upload"},
                              {"queuePosition", 1},
                              {"retryOf", "earlier"},
                              {"seq", 1},
                              {"timestamp", "2026-01-01T00:00:00.000Z"}};
  EXPECT_EQ(metadata_of(payload), expected);
}

TEST_P(JobStoreContract, TheSameKeyOfTheSameUserIsTheSameJob) {
  auto first = request("ann");
  first.idempotency_key = "once";
  const auto job = must(run_to_end(jobs().submit(first, kNoLimit))).job;
  auto second = request("ann");
  second.idempotency_key = "once";
  second.title = "another";

  // The limit is of no matter: nothing is added.
  const auto again = must(run_to_end(jobs().submit(second, 1)));

  EXPECT_TRUE(again.existed);
  EXPECT_EQ(again.job.id, job.id);
  EXPECT_EQ(again.job.title, "");
  EXPECT_EQ(find_error("ann", second.id), Errc::not_found);
  EXPECT_EQ(events_of("ann").size(), 1U);
}

TEST_P(JobStoreContract, TheKeyIsKnownAfterTheJobsEnd) {
  auto first = request("ann");
  first.idempotency_key = "once";
  must(run_to_end(jobs().submit(first, kNoLimit)));
  complete(claim());
  auto second = request("ann");
  second.idempotency_key = "once";

  const auto again = must(run_to_end(jobs().submit(second, kNoLimit)));

  EXPECT_TRUE(again.existed);
  EXPECT_EQ(again.job.id, first.id);
  EXPECT_EQ(again.job.state, JobState::completed);
}

TEST_P(JobStoreContract, AKeyOfAnotherUserOrNoKeyIsAnotherJob) {
  for (const auto* user : {"ann", "bob"}) {
    auto keyed = request(user);
    keyed.idempotency_key = "once";
    EXPECT_FALSE(must(run_to_end(jobs().submit(keyed, kNoLimit))).existed);
    EXPECT_FALSE(must(run_to_end(jobs().submit(request(user), kNoLimit))).existed);
    EXPECT_FALSE(must(run_to_end(jobs().submit(request(user), kNoLimit))).existed);
  }
}

TEST_P(JobStoreContract, AUserAtTheLimitIsExhaustedUntilAJobEnds) {
  submit("ann");
  submit("ann");
  const auto running = claim();

  const auto refused = run_to_end(jobs().submit(request("ann"), 2));

  EXPECT_EQ(code_of(refused), Errc::exhausted);
  EXPECT_EQ(name_of(refused), "QUEUE_LIMIT");
  EXPECT_NE(refused.error().public_message().find("2 unfinished"), std::string_view::npos);
  EXPECT_EQ(events_of("ann").size(), 3U);  // two queued, one started
  EXPECT_TRUE(run_to_end(jobs().submit(request("bob"), 2)));

  complete(running);
  EXPECT_TRUE(run_to_end(jobs().submit(request("ann"), 2)));
}

TEST_P(JobStoreContract, ClaimOfAnEmptyQueueIsEmpty) { EXPECT_TRUE(claim_up_to(3).empty()); }

TEST_P(JobStoreContract, ClaimBeginsAnAttempt) {
  auto wanted = request("ann");
  wanted.body = "spoken words";
  wanted.title = "Talk";
  must(run_to_end(jobs().submit(wanted, kNoLimit)));
  clock_.advance(std::chrono::seconds(5));
  ClaimRequest claiming;
  claiming.lease_for = std::chrono::seconds(20);

  const auto claimed = must(run_to_end(jobs().claim(claiming))).at(0);

  EXPECT_EQ(claimed.body, "spoken words");
  EXPECT_EQ(claimed.lease.job, wanted.id);
  EXPECT_EQ(claimed.lease.expires_at, clock_.now() + std::chrono::seconds(20));
  const auto job = find(claimed.job);
  for (const auto& seen : {claimed.job, job}) {
    EXPECT_EQ(seen.state, JobState::processing);
    EXPECT_EQ(seen.progress, 10);
    EXPECT_EQ(seen.stage, "processing");
    EXPECT_EQ(seen.message, "Job processing started");
    EXPECT_EQ(seen.attempt, 1);
    EXPECT_EQ(seen.processed_at, clock_.now());
    EXPECT_FALSE(seen.queue_position);
  }
  EXPECT_TRUE(claim_up_to(5).empty());

  const auto payload = last_payload(job);
  EXPECT_EQ(payload.at("eventType"), "job-started");
  EXPECT_EQ(payload.at("progress"), 10);
  EXPECT_EQ(payload.at("stage"), "processing");
  EXPECT_EQ(payload.at("message"), "Job processing started");
  const json::object expected{{"videoTitle", "Talk"},
                              {"jobType", "transcript"},
                              {"attempt", 1},
                              {"seq", 2},
                              {"timestamp", "2026-01-01T00:00:05.000Z"}};
  EXPECT_EQ(metadata_of(payload), expected);
}

TEST_P(JobStoreContract, ClaimGivesNoBodyWhereThereWasNone) { EXPECT_EQ(begin("ann").body, ""); }

TEST_P(JobStoreContract, ClaimTakesAUsersOldestFirst) {
  const auto first = submit("ann");
  const auto second = submit("ann");
  EXPECT_EQ(claim().job.id, first.id);
  EXPECT_EQ(claim().job.id, second.id);
}

TEST_P(JobStoreContract, ClaimGoesRoundBetweenUsers) {
  std::vector<JobId> expected(5);
  expected[0] = submit("ann").id;
  expected[2] = submit("ann").id;
  expected[4] = submit("ann").id;
  expected[1] = submit("bob").id;
  expected[3] = submit("bob").id;

  std::vector<JobId> order;
  for (const auto& claimed : claim_up_to(10)) order.push_back(claimed.job.id);

  EXPECT_EQ(order, expected);
}

TEST_P(JobStoreContract, ClaimOneByOneFollowsTheSameOrder) {
  std::vector<JobId> expected(5);
  expected[0] = submit("ann").id;
  expected[2] = submit("ann").id;
  expected[4] = submit("ann").id;
  expected[1] = submit("bob").id;
  expected[3] = submit("bob").id;
  for (const auto& id : expected) EXPECT_EQ(claim().job.id, id);
}

TEST_P(JobStoreContract, ClaimGoesRoundBetweenUsersAlsoWhereEachJobEndsBeforeTheNext) {
  for (int i = 0; i < 4; ++i) submit("ann");
  submit("bob");
  std::string order;
  for (int i = 0; i < 5; ++i) {
    const auto claimed = claim();
    order += claimed.job.user.value() + " ";
    complete(claimed);
  }
  EXPECT_EQ(order, "ann bob ann ann ann ");
}

TEST_P(JobStoreContract, ClaimPrefersTheUserWithTheFewestRunning) {
  begin("ann");
  begin("ann");
  begin("bob");
  submit("ann");  // the oldest of all that wait
  const auto bobs = submit("bob");
  const auto cids = submit("cid");

  EXPECT_EQ(claim().job.id, cids.id);  // none of cid's runs
  EXPECT_EQ(claim().job.id, bobs.id);  // one of bob's runs, two of ann's
}

TEST_P(JobStoreContract, ClaimLeavesAUserAtTheCapAlone) {
  for (int i = 0; i < 4; ++i) submit("ann");
  ClaimRequest wanted;
  wanted.limit = 10;
  wanted.sharing.max_running_per_user = 2;

  auto claimed = must(run_to_end(jobs().claim(wanted)));
  EXPECT_EQ(claimed.size(), 2U);
  EXPECT_TRUE(must(run_to_end(jobs().claim(wanted))).empty());

  const auto bobs = submit("bob");
  EXPECT_EQ(must(run_to_end(jobs().claim(wanted))).at(0).job.id, bobs.id);
  complete(claimed.at(0));
  EXPECT_EQ(must(run_to_end(jobs().claim(wanted))).size(), 1U);
}

TEST_P(JobStoreContract, ClaimLeavesAWorkerWhileAnotherUserIsThereAndForAnHour) {
  const auto submit_upload = [this](const std::string& user) {
    auto upload = request(user);
    upload.type = JobType::upload;
    must(run_to_end(jobs().submit(upload, kNoLimit)));
  };
  ClaimRequest wanted;
  wanted.limit = 10;
  wanted.sharing = {3, 1, 0};
  const auto begin_all = [&] { return must(run_to_end(jobs().claim(wanted))).size(); };
  complete(begin("bob"));
  for (int i = 0; i < 5; ++i) submit_upload("ann");
  EXPECT_EQ(begin_all(), 2U);
  submit_upload("bob");
  submit("bob");
  EXPECT_EQ(begin_all(), 2U) << "the worker that is left, and the transcripts' own slot";
  submit_upload("cid");
  EXPECT_EQ(begin_all(), 0U);
}

TEST_P(JobStoreContract, ClaimGivesAUserWhoIsAloneAllWorkersOnceAnHourIsOver) {
  complete(begin("bob"));
  for (int i = 0; i < 5; ++i) submit("ann");
  ClaimRequest wanted;
  wanted.limit = 10;
  wanted.sharing = {3, 0, 0};
  EXPECT_EQ(must(run_to_end(jobs().claim(wanted))).size(), 2U);
  clock_.advance(std::chrono::minutes(59));
  EXPECT_TRUE(must(run_to_end(jobs().claim(wanted))).empty());
  const auto held = must(run_to_end(queries().list(UserId("ann"), JobFilter()))).jobs.front();
  EXPECT_TRUE(must(run_to_end(queries().report_job(held.id))).user_is_at_limit);
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(must(run_to_end(jobs().claim(wanted))).size(), 1U);
}

TEST_P(JobStoreContract, ClaimGivesNoMoreThanTheLimit) {
  for (int i = 0; i < 3; ++i) submit("ann");
  EXPECT_EQ(claim_up_to(2).size(), 2U);
  EXPECT_EQ(claim_up_to(2).size(), 1U);
}

TEST_P(JobStoreContract, TokensOnlyGrow) {
  const auto first = begin("ann");
  const auto second = begin("bob");
  must(run_to_end(jobs().release(first.lease)));
  const auto third = claim();
  EXPECT_LT(first.lease.token, second.lease.token);
  EXPECT_LT(second.lease.token, third.lease.token);
}

}  // namespace
}  // namespace rushes::jobs
