#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

namespace rushes::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Failure kAway{"SOURCE_UNAVAILABLE", "The site is away.", true, "connection refused"};
const Failure kCrashed{"WORKER_CRASHED", "The worker died.", true, {}};
const Failure kDead{"URL_DEAD", "The video is gone.", false, {}};

TEST_P(JobStoreContract, EachClassOfErrorsHasAttemptsOfItsOwn) {
  auto wanted = request("ann");
  wanted.max_attempts = 2;
  const auto job = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;
  const auto fail = [&](const Failure& failure) {
    return must(run_to_end(jobs().fail(claim().lease, failure, milliseconds(0))));
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fail(kAway), AfterFailure::will_retry);
  EXPECT_EQ(fail(kCrashed), AfterFailure::will_retry);
  EXPECT_EQ(fail(kCrashed), AfterFailure::failed);

  // A restart begins a new series.
  must(run_to_end(jobs().restart(job.user, job.id, kNoLimit)));
  EXPECT_EQ(fail(kCrashed), AfterFailure::will_retry);
  EXPECT_EQ(fail(kDead), AfterFailure::failed);
}

TEST_P(JobStoreContract, EachAttemptIsKept) {
  const auto job = submit("ann");
  auto started = clock_.now();
  const auto first = claim();
  must(run_to_end(jobs().report(first.lease, ProgressReport{20, "Fetching video data", "", ""})));
  clock_.advance(seconds(5));
  must(run_to_end(jobs().fail(first.lease, kAway, milliseconds(0))));
  must(run_to_end(jobs().release(claim().lease)));
  must(run_to_end(jobs().fail(claim().lease, kDead, milliseconds(0))));
  must(run_to_end(jobs().restart(job.user, job.id, kNoLimit)));
  const auto last = claim();

  auto attempts = must(run_to_end(queries().attempts(job.user, job.id)));

  ASSERT_EQ(attempts.size(), 4U);
  EXPECT_EQ(attempts[0].number, 1);
  EXPECT_EQ(attempts[0].started_at, started);
  EXPECT_EQ(attempts[0].ended_at, started + seconds(5));
  EXPECT_EQ(attempts[0].stage, "Fetching video data");
  EXPECT_EQ(attempts[0].outcome, AttemptOutcome::failed);
  ASSERT_TRUE(attempts[0].failure);
  EXPECT_EQ(attempts[0].failure->code, "SOURCE_UNAVAILABLE");
  EXPECT_EQ(attempts[0].failure->message, "The site is away.");
  EXPECT_EQ(attempts[0].failure->log, "connection refused");
  EXPECT_TRUE(attempts[0].failure->retryable);
  EXPECT_EQ(attempts[1].outcome, AttemptOutcome::handed_back);
  EXPECT_FALSE(attempts[1].failure);
  EXPECT_EQ(attempts[2].number, 3);
  EXPECT_EQ(attempts[2].failure->code, "URL_DEAD");
  EXPECT_FALSE(attempts[2].failure->retryable);
  EXPECT_EQ(attempts[3].series, attempts[2].series + 1);
  EXPECT_EQ(attempts[3].number, 1);
  EXPECT_FALSE(attempts[3].ended_at);
  EXPECT_FALSE(attempts[3].outcome);

  complete(last);
  const auto completed_at = clock_.now();
  attempts = must(run_to_end(queries().attempts(job.user, job.id)));
  EXPECT_EQ(attempts.at(3).outcome, AttemptOutcome::completed);
  EXPECT_EQ(attempts.at(3).ended_at, completed_at);

  // One that completed is kept too once there is another series.
  clock_.advance(seconds(5));
  must(run_to_end(jobs().restart(job.user, job.id, kNoLimit)));
  complete(claim());
  attempts = must(run_to_end(queries().attempts(job.user, job.id)));
  ASSERT_EQ(attempts.size(), 5U);
  EXPECT_EQ(attempts[3].outcome, AttemptOutcome::completed);
  EXPECT_EQ(attempts[3].ended_at, completed_at);
  EXPECT_EQ(attempts[4].series, attempts[3].series + 1);
  EXPECT_EQ(attempts[4].ended_at, clock_.now());
  EXPECT_EQ(code_of(run_to_end(queries().attempts(UserId("bob"), job.id))), Errc::not_found);
}

TEST_P(JobStoreContract, CheckpointsOutliveTheirAttempt) {
  const auto job = submit("ann");
  const auto first = claim();
  EXPECT_TRUE(first.checkpoints.empty());
  must(run_to_end(jobs().save_checkpoint(first.lease, "transcript", "old")));
  must(run_to_end(jobs().save_checkpoint(first.lease, "transcript", "words")));
  must(run_to_end(jobs().fail(first.lease, kCrashed, milliseconds(0))));
  EXPECT_EQ(code_of(run_to_end(jobs().save_checkpoint(first.lease, "transcript", "late"))), Errc::lease_lost);

  const std::map<std::string, std::string> kept{{"transcript", "words"}};
  const auto second = claim();
  EXPECT_EQ(second.checkpoints, kept);
  must(run_to_end(jobs().fail(second.lease, kDead, milliseconds(0))));

  // A retry is a new job, which goes on where the old one was.
  auto retry = request("ann");
  retry.retry_of = job.id;
  must(run_to_end(jobs().submit(retry, kNoLimit)));
  const auto third = claim();
  EXPECT_EQ(third.job.id, retry.id);
  EXPECT_EQ(third.checkpoints, kept);
  complete(third);

  // What completed begins from nothing when it is restarted.
  must(run_to_end(jobs().restart(retry.user, retry.id, kNoLimit)));
  EXPECT_TRUE(claim().checkpoints.empty());
}

TEST_P(JobStoreContract, FailedJobsAreListedAndRedriven) {
  std::vector<Job> dead;
  for (const auto* user : {"ann", "bob", "ann"}) {
    const auto claimed = begin(user);
    must(run_to_end(jobs().fail(claimed.lease, dead.size() == 2 ? kCrashed : kDead, milliseconds(0))));
    if (dead.size() == 2) must(run_to_end(jobs().fail(claim().lease, kDead, milliseconds(0))));
    dead.push_back(claimed.job);
  }
  complete(begin("bob"));

  DeadFilter filter;
  filter.limit = 2;
  auto page = must(run_to_end(queries().dead(filter)));
  ASSERT_EQ(page.jobs.size(), 2U);
  EXPECT_EQ(page.jobs[0].id, dead[2].id);
  EXPECT_EQ(page.jobs[1].id, dead[1].id);
  filter.cursor = page.next_cursor;
  page = must(run_to_end(queries().dead(filter)));
  ASSERT_EQ(page.jobs.size(), 1U);
  EXPECT_EQ(page.jobs[0].id, dead[0].id);
  EXPECT_TRUE(page.next_cursor.empty());

  DeadFilter one;
  one.job = dead[1].id;
  EXPECT_EQ(must(run_to_end(jobs().redrive(one))).jobs, 1);
  EXPECT_EQ(must(run_to_end(jobs().redrive(one))).jobs, 0);
  EXPECT_EQ(find(dead[1]).state, JobState::pending);
  EXPECT_TRUE(find(dead[1]).restarted);
  DeadFilter anns;
  anns.user = UserId("ann");
  anns.code = "URL_DEAD";
  anns.limit = 1;
  EXPECT_EQ(must(run_to_end(jobs().redrive(anns))).jobs, 1);
  EXPECT_EQ(find(dead[0]).state, JobState::pending);
  EXPECT_EQ(must(run_to_end(queries().report(10))).dead, 1);
  EXPECT_EQ(claim_up_to(5).size(), 2U);
}

TEST_P(JobStoreContract, ARedriveGoesOnBehindTwinsOfAUniqueKey) {
  auto wanted = request("ann");
  wanted.unique_key = "one at a time";
  for (int twin = 0; twin < 2; ++twin) {
    wanted.id = request("ann").id;
    must(run_to_end(jobs().submit(wanted, kNoLimit)));
    must(run_to_end(jobs().fail(claim().lease, kDead, milliseconds(0))));
  }
  const auto behind = begin("ann");
  must(run_to_end(jobs().fail(behind.lease, kDead, milliseconds(0))));

  DeadFilter filter;
  filter.limit = 2;
  const auto first = must(run_to_end(jobs().redrive(filter)));
  EXPECT_EQ(first.jobs, 1) << "the second has the same key";
  ASSERT_NE(first.upto, 0) << "and there may be more";
  filter.behind = first.upto;
  const auto second = must(run_to_end(jobs().redrive(filter)));
  EXPECT_EQ(second.jobs, 1);
  EXPECT_EQ(second.upto, 0);
  EXPECT_EQ(find(behind.job).state, JobState::pending);
}

TEST_P(JobStoreContract, APausedTypeDoesNotStart) {
  auto wanted = request("ann");
  wanted.type = JobType::upload;
  const auto upload = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;
  const auto transcript = submit("bob");
  must(run_to_end(jobs().set_type(JobType::upload, {true, std::nullopt})));

  const auto claimed = claim_up_to(5);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].job.id, transcript.id);
  const auto report = must(run_to_end(queries().report_job(upload.id)));
  EXPECT_TRUE(report.type.paused);
  EXPECT_EQ(report.position, 1);

  must(run_to_end(jobs().set_type(JobType::upload, {false, std::nullopt})));
  EXPECT_EQ(claim().job.id, upload.id);
}

TEST_P(JobStoreContract, ATypeRunsNoMoreThanItMay) {
  must(run_to_end(jobs().set_type(JobType::transcript, {false, 2})));
  for (const auto* user : {"ann", "bob", "cid"}) submit(user);
  const auto first = claim_up_to(5);
  EXPECT_EQ(first.size(), 2U);
  complete(first[0]);
  EXPECT_EQ(claim_up_to(5).size(), 1U);
}

TEST_P(JobStoreContract, TheReportCountsAllOfIt) {
  submit("ann");
  clock_.advance(seconds(1));
  for (int i = 0; i < 3; ++i) submit("bob");
  auto later = request("cid");
  later.run_at = clock_.now() + seconds(60);
  must(run_to_end(jobs().submit(later, kNoLimit)));
  claim();

  const auto report = must(run_to_end(queries().report(1)));

  const auto& transcripts = report.types[static_cast<std::size_t>(JobType::transcript)];
  EXPECT_EQ(transcripts.waiting, 3);
  EXPECT_EQ(transcripts.running, 1);
  EXPECT_EQ(report.types[static_cast<std::size_t>(JobType::upload)].waiting, 0);
  EXPECT_EQ(report.later, 1);
  EXPECT_EQ(report.users, 2);
  EXPECT_EQ(report.oldest_waiting, clock_.now());
  ASSERT_EQ(report.busiest.size(), 1U);
  EXPECT_EQ(report.busiest[0].id, UserId("bob"));
  EXPECT_EQ(report.busiest[0].waiting, 3);

  const auto timed = must(run_to_end(queries().report_job(later.id)));
  EXPECT_EQ(timed.run_at, later.run_at);
  EXPECT_FALSE(timed.position);
  EXPECT_EQ(timed.events.size(), 1U);
}

TEST_P(JobStoreContract, TheOldestIsTheOneThatHasWaitedLongestSinceItCameToWait) {
  const auto oldest = [this] { return must(run_to_end(queries().report(1))).oldest_waiting; };
  EXPECT_FALSE(oldest());
  auto later = request("ann");
  later.run_at = clock_.now() + seconds(100);
  must(run_to_end(jobs().submit(later, kNoLimit)));
  const auto failing = begin("bob");
  EXPECT_FALSE(oldest()) << "one waits for its time, one runs";

  clock_.advance(seconds(50));
  must(run_to_end(jobs().fail(failing.lease, kDead, milliseconds(0))));
  clock_.advance(seconds(10));
  must(run_to_end(jobs().restart(failing.job.user, failing.job.id, kNoLimit)));
  EXPECT_EQ(oldest(), clock_.now()) << "since its restart";
  must(run_to_end(jobs().cancel(failing.job.user, failing.job.id)));

  clock_.advance(seconds(60));
  EXPECT_EQ(oldest(), later.run_at);
  const auto claimed = claim();
  must(run_to_end(jobs().fail(claimed.lease, kAway, seconds(5))));
  EXPECT_FALSE(oldest()) << "it waits for its backoff";
  clock_.advance(seconds(7));
  EXPECT_EQ(oldest(), clock_.now() - seconds(2));
}

TEST_P(JobStoreContract, CountsAreByType) {
  auto upload = request("ann");
  upload.type = JobType::upload;
  must(run_to_end(jobs().submit(upload, kNoLimit)));
  must(run_to_end(jobs().set_type(JobType::upload, {true, std::nullopt})));
  const auto failing = begin("bob");
  auto later = request("bob");
  later.run_at = clock_.now() + seconds(60);
  must(run_to_end(jobs().submit(later, kNoLimit)));
  const auto since = clock_.now();
  clock_.advance(seconds(30));
  submit("bob");

  auto counts = must(run_to_end(queries().counts()));
  EXPECT_EQ(counts.pending, 3);
  EXPECT_EQ(counts.processing, 1);
  const auto& uploads = counts.types[static_cast<std::size_t>(JobType::upload)];
  EXPECT_EQ(uploads.waiting, 1);
  EXPECT_EQ(uploads.scheduled, 0);
  EXPECT_EQ(uploads.oldest_waiting, since);
  EXPECT_TRUE(uploads.paused);
  const auto& transcripts = counts.types[static_cast<std::size_t>(JobType::transcript)];
  EXPECT_EQ(transcripts.waiting, 1);
  EXPECT_EQ(transcripts.scheduled, 1);
  EXPECT_EQ(transcripts.running, 1);
  EXPECT_EQ(transcripts.oldest_waiting, clock_.now());
  EXPECT_FALSE(transcripts.paused);

  must(run_to_end(jobs().fail(failing.lease, kDead, milliseconds(0))));
  EXPECT_EQ(must(run_to_end(queries().counts())).dead, 1);
  EXPECT_EQ(must(run_to_end(jobs().redrive(DeadFilter()))).jobs, 1);
  counts = must(run_to_end(queries().counts()));
  EXPECT_EQ(counts.dead, 0);
  EXPECT_EQ(counts.types[static_cast<std::size_t>(JobType::transcript)].waiting, 2);
}

}  // namespace
}  // namespace rushes::jobs
