#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

namespace rushes::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Failure kPassing{"NETWORK_AWAY", "The network is away.", true, {}};
const Failure kFinal{"MEDIA_UNREADABLE", "The file cannot be read.", false, {}};

ProgressReport at_percent(int percent) { return {percent, "Saving results", "Saving results", ""}; }

TEST_P(JobStoreContract, RenewMovesTheLeasesEnd) {
  const auto claimed = begin("ann");
  clock_.advance(seconds(20));

  const auto renewed = must(run_to_end(jobs().renew(claimed.lease, seconds(30))));

  EXPECT_EQ(renewed.job, claimed.lease.job);
  EXPECT_EQ(renewed.token, claimed.lease.token);
  EXPECT_EQ(renewed.expires_at, clock_.now() + seconds(30));
  clock_.advance(seconds(29));
  EXPECT_EQ(must(run_to_end(jobs().take_over(false))), 0);
  clock_.advance(seconds(1));
  EXPECT_EQ(must(run_to_end(jobs().take_over(false))), 1);
}

TEST_P(JobStoreContract, RenewOfAJobToBeStoppedSaysSoAndRenewsAllTheSame) {
  const auto claimed = begin("ann");
  must(run_to_end(jobs().cancel(claimed.job.user, claimed.job.id)));
  clock_.advance(seconds(20));

  EXPECT_EQ(code_of(run_to_end(jobs().renew(claimed.lease, seconds(30)))), Errc::cancelled);

  clock_.advance(seconds(29));
  EXPECT_EQ(must(run_to_end(jobs().take_over(false))), 0);
}

TEST_P(JobStoreContract, NothingIsWrittenUnderALostLease) {
  const auto old = begin("ann");
  clock_.advance(seconds(30));
  must(run_to_end(jobs().take_over(false)));

  // Twice: while the job waits, and while another worker has it.
  for (int round = 0; round < 2; ++round) {
    const auto before = events_of("ann").size();
    const auto job_before = find(old.job);
    EXPECT_EQ(code_of(run_to_end(jobs().renew(old.lease, seconds(30)))), Errc::lease_lost);
    EXPECT_EQ(code_of(run_to_end(jobs().report(old.lease, at_percent(60)))), Errc::lease_lost);
    EXPECT_EQ(code_of(run_to_end(jobs().complete(old.lease, completion()))), Errc::lease_lost);
    EXPECT_EQ(code_of(run_to_end(jobs().fail(old.lease, kFinal, milliseconds(0)))), Errc::lease_lost);
    EXPECT_EQ(code_of(run_to_end(jobs().release(old.lease))), Errc::lease_lost);
    EXPECT_EQ(code_of(run_to_end(jobs().confirm_cancelled(old.lease))), Errc::lease_lost);
    EXPECT_EQ(events_of("ann").size(), before);
    EXPECT_EQ(find(old.job).state, job_before.state);
    EXPECT_EQ(find(old.job).progress, job_before.progress);
    EXPECT_EQ(must(run_to_end(queries().history(UserId("ann"), HistoryQuery()))).total, 0);
    if (round == 0) claim();
  }
}

TEST_P(JobStoreContract, CompleteAgainSucceedsAndChangesNothing) {
  const auto claimed = begin("ann");
  const auto made = completion("The film");
  must(run_to_end(jobs().complete(claimed.lease, made)));
  const auto events = events_of("ann").size();

  EXPECT_TRUE(run_to_end(jobs().complete(claimed.lease, made)));

  EXPECT_EQ(events_of("ann").size(), events);
  EXPECT_EQ(must(run_to_end(queries().history(UserId("ann"), HistoryQuery()))).total, 1);
  EXPECT_EQ(code_of(run_to_end(jobs().complete(claimed.lease, completion()))), Errc::lease_lost) << "another result";
  const auto bobs = begin("bob");
  must(run_to_end(jobs().take_over(true)));
  EXPECT_EQ(code_of(run_to_end(jobs().complete(bobs.lease, made))), Errc::lease_lost) << "another job's";
}

TEST_P(JobStoreContract, TheSameClaimAgainGivesWhatItBegan) {
  submit("ann");
  submit("bob");
  ClaimRequest request;
  request.key = 7;
  const auto first = must(run_to_end(jobs().claim(request)));
  ASSERT_EQ(first.size(), 1U);
  clock_.advance(seconds(20));

  const auto again = must(run_to_end(jobs().claim(request)));

  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].job.id, first[0].job.id);
  EXPECT_EQ(again[0].lease.token, first[0].lease.token);
  EXPECT_EQ(again[0].body, first[0].body);
  EXPECT_EQ(told_of(first[0].job), "queued started") << "once";
  clock_.advance(seconds(20));
  EXPECT_EQ(must(run_to_end(jobs().take_over(false))), 0) << "its lease is a new one";
  request.key = 8;
  const auto other = must(run_to_end(jobs().claim(request)));
  ASSERT_EQ(other.size(), 1U);
  EXPECT_NE(other[0].job.id, first[0].job.id);
  complete(other[0]);
  EXPECT_TRUE(must(run_to_end(jobs().claim(request))).empty()) << "what it began has ended";
}

TEST_P(JobStoreContract, TheSameClaimAgainEndsWhatIsToBeStopped) {
  const auto job = submit("ann");
  ClaimRequest request;
  request.key = 7;
  must(run_to_end(jobs().claim(request)));
  must(run_to_end(jobs().cancel(job.user, job.id)));

  EXPECT_TRUE(must(run_to_end(jobs().claim(request))).empty());

  EXPECT_EQ(find(job).state, JobState::cancelled);
}

TEST_P(JobStoreContract, TheLeaseEndsWithTheAttempt) {
  const auto completed = begin("ann");
  complete(completed);
  const auto failed = begin("ann");
  must(run_to_end(jobs().fail(failed.lease, kFinal, milliseconds(0))));
  const auto cancelled = begin("ann");
  must(run_to_end(jobs().confirm_cancelled(cancelled.lease)));
  const auto released = begin("ann");
  must(run_to_end(jobs().release(released.lease)));
  for (const auto& claimed : {completed, failed, cancelled, released}) {
    EXPECT_EQ(code_of(run_to_end(jobs().complete(claimed.lease, completion()))), Errc::lease_lost);
  }
}

TEST_P(JobStoreContract, ReportTellsHowFarItIs) {
  const auto claimed = begin("ann");
  const ProgressReport report{50, "Transcribing audio", "Transcribing audio: 0:42 of 3:10", "The film"};

  must(run_to_end(jobs().report(claimed.lease, report)));

  const auto job = find(claimed.job);
  EXPECT_EQ(job.progress, 50);
  EXPECT_EQ(job.stage, "Transcribing audio");
  EXPECT_EQ(job.message, "Transcribing audio: 0:42 of 3:10");
  EXPECT_EQ(job.title, "The film");
  const auto payload = last_payload(job);
  EXPECT_EQ(payload.at("eventType"), "job-progress");
  EXPECT_EQ(payload.at("progress"), 50);
  EXPECT_EQ(payload.at("stage"), "Transcribing audio");
  EXPECT_EQ(payload.at("message"), "Transcribing audio: 0:42 of 3:10");
  EXPECT_EQ(metadata_of(payload).at("videoTitle"), "The film");
  EXPECT_EQ(metadata_of(payload).at("attempt"), 1);
}

TEST_P(JobStoreContract, ProgressNeverFallsAndReaches100AtTheEndAlone) {
  const auto claimed = begin("ann");
  std::vector<std::int64_t> seen;
  for (const int percent : {40, 20, 90, -5, 100, 250}) {
    must(run_to_end(jobs().report(claimed.lease, at_percent(percent))));
    seen.push_back(last_payload(claimed.job).at("progress").as_int64());
    EXPECT_EQ(find(claimed.job).progress, seen.back());
  }
  EXPECT_EQ(seen, (std::vector<std::int64_t>{40, 40, 90, 90, 99, 99}));
}

TEST_P(JobStoreContract, AReportWithoutATitleKeepsIt) {
  const auto claimed = begin("ann");
  must(run_to_end(jobs().report(claimed.lease, ProgressReport{20, "Fetching video data", "", "The film"})));
  must(run_to_end(jobs().report(claimed.lease, at_percent(30))));
  EXPECT_EQ(find(claimed.job).title, "The film");
}

TEST_P(JobStoreContract, CompleteEndsTheJobAndSavesTheAnalysis) {
  const auto claimed = begin("ann");
  clock_.advance(seconds(7));
  const auto made = completion("The film");

  must(run_to_end(jobs().complete(claimed.lease, made)));

  const auto job = find(claimed.job);
  EXPECT_EQ(job.state, JobState::completed);
  EXPECT_EQ(job.progress, 100);
  EXPECT_EQ(job.stage, "completed");
  EXPECT_EQ(job.message, "Job completed successfully");
  EXPECT_EQ(job.title, "The film");
  EXPECT_EQ(job.audit, made.audit);
  EXPECT_EQ(job.finished_at, clock_.now());

  const auto analysis = must(run_to_end(queries().analysis(job.user, made.audit)));
  EXPECT_EQ(analysis.id, made.audit);
  EXPECT_EQ(analysis.job, job.id);
  EXPECT_EQ(analysis.type, job.type);
  EXPECT_EQ(analysis.title, "The film");
  EXPECT_EQ(analysis.created_at, clock_.now());
  EXPECT_EQ(analysis.result, made.result);

  EXPECT_EQ(told_of(job), "queued started completed");
  const auto payload = last_payload(job);
  EXPECT_EQ(payload.at("progress"), 100);
  EXPECT_EQ(payload.at("stage"), "completed");
  EXPECT_EQ(payload.at("message"), "Job completed successfully");
  EXPECT_EQ(payload.at("result"), json::value(made.result));
  EXPECT_EQ(metadata_of(payload).at("auditId"), json::value(made.audit.value()));
}

TEST_P(JobStoreContract, ARetryableFailureWaitsForItsBackoffUntold) {
  const auto claimed = begin("ann");
  must(run_to_end(jobs().report(claimed.lease, at_percent(60))));

  EXPECT_EQ(must(run_to_end(jobs().fail(claimed.lease, kPassing, milliseconds(4'000)))), AfterFailure::will_retry);

  const auto waiting = find(claimed.job);
  EXPECT_EQ(waiting.state, JobState::pending);
  EXPECT_FALSE(waiting.finished_at);
  EXPECT_EQ(told_of(claimed.job), "queued started progress");
  clock_.advance(milliseconds(3'999));
  EXPECT_TRUE(claim_up_to(1).empty());
  clock_.advance(milliseconds(1));

  const auto again = claim();

  EXPECT_EQ(again.job.id, claimed.job.id);
  EXPECT_EQ(again.job.attempt, 2);
  EXPECT_EQ(claimed.failed, 0);
  EXPECT_EQ(again.failed, 1);
  EXPECT_EQ(again.job.progress, 10);
  EXPECT_FALSE(again.job.failure);
  EXPECT_EQ(told_of(claimed.job), "queued started progress started");
  EXPECT_EQ(metadata_of(last_payload(claimed.job)).at("attempt"), 2);
}

TEST_P(JobStoreContract, AttemptsRunOut) {
  auto wanted = request("ann");
  wanted.max_attempts = 2;
  const auto job = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;
  EXPECT_EQ(must(run_to_end(jobs().fail(claim().lease, kPassing, milliseconds(0)))), AfterFailure::will_retry);
  EXPECT_EQ(must(run_to_end(jobs().fail(claim().lease, kPassing, milliseconds(0)))), AfterFailure::failed);
  EXPECT_EQ(find(job).state, JobState::failed);
  EXPECT_EQ(told_of(job), "queued started started failed");
  EXPECT_TRUE(claim_up_to(1).empty());
}

TEST_P(JobStoreContract, AFinalFailureIsToldWithItsReason) {
  const auto claimed = begin("ann");
  must(run_to_end(jobs().report(claimed.lease, at_percent(30))));
  clock_.advance(seconds(1));

  EXPECT_EQ(must(run_to_end(jobs().fail(claimed.lease, kFinal, milliseconds(0)))), AfterFailure::failed);

  const auto job = find(claimed.job);
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.stage, "failed");
  EXPECT_EQ(job.progress, 30);
  EXPECT_EQ(job.finished_at, clock_.now());
  ASSERT_TRUE(job.failure);
  EXPECT_EQ(job.failure->code, "MEDIA_UNREADABLE");
  EXPECT_EQ(job.failure->message, "The file cannot be read.");
  const auto payload = last_payload(job);
  EXPECT_EQ(payload.at("eventType"), "job-failed");
  EXPECT_EQ(payload.at("progress"), 30);
  EXPECT_EQ(payload.at("stage"), "failed");
  EXPECT_EQ(payload.at("message"), "Job processing failed");
  EXPECT_EQ(payload.at("error"), "The file cannot be read.");
  EXPECT_EQ(metadata_of(payload).at("errorCode"), "MEDIA_UNREADABLE");
  EXPECT_EQ(told_of(job), "queued started progress failed");
}

TEST_P(JobStoreContract, ReleaseHandsTheJobBackUncounted) {
  auto wanted = request("ann");
  wanted.max_attempts = 1;
  wanted.body = "words";
  const auto job = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;

  must(run_to_end(jobs().release(claim().lease)));

  EXPECT_EQ(find(job).state, JobState::pending);
  EXPECT_EQ(told_of(job), "queued started");
  const auto again = claim();       // at once
  EXPECT_EQ(again.job.attempt, 2);  // its progress begins anew, so it needs a number of its own
  EXPECT_EQ(again.body, "words");
  EXPECT_EQ(again.failed, 0);
  // Nor does a second time.
  must(run_to_end(jobs().release(again.lease)));
  complete(claim());
  EXPECT_EQ(told_of(job), "queued started started started completed");
}

TEST_P(JobStoreContract, ReleaseEndsAJobToBeStopped) {
  const auto claimed = begin("ann");
  must(run_to_end(jobs().cancel(claimed.job.user, claimed.job.id)));
  must(run_to_end(jobs().release(claimed.lease)));
  EXPECT_EQ(find(claimed.job).state, JobState::cancelled);
  EXPECT_EQ(told_of(claimed.job), "queued started cancelled");
}

TEST_P(JobStoreContract, TakeOverEndsOnlyWhatItsLeaseLeft) {
  auto wanted = request("ann");
  wanted.max_attempts = 2;
  const auto job = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;
  claim();
  clock_.advance(seconds(15));
  const auto alive = begin("bob");
  clock_.advance(seconds(15));

  EXPECT_EQ(must(run_to_end(jobs().take_over(false))), 1);

  EXPECT_EQ(find(alive.job).state, JobState::processing);
  EXPECT_EQ(find(job).state, JobState::pending);
  EXPECT_EQ(claim().job.attempt, 2);  // counted
  clock_.advance(seconds(30));
  EXPECT_EQ(must(run_to_end(jobs().take_over(false))), 2);  // bob's too, by now
  const auto lost = find(job);
  EXPECT_EQ(lost.state, JobState::failed);
  ASSERT_TRUE(lost.failure);
  EXPECT_EQ(lost.failure->code, "WORKER_LOST");
  EXPECT_EQ(metadata_of(last_payload(job)).at("errorCode"), "WORKER_LOST");
  EXPECT_EQ(told_of(job), "queued started started failed");
}

TEST_P(JobStoreContract, TakeOverOfAllEndsEveryAttemptAndCountsIt) {
  auto wanted = request("ann");
  wanted.max_attempts = 2;
  const auto job = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;
  const auto old = claim();
  begin("bob");
  submit("cid");

  EXPECT_EQ(must(run_to_end(jobs().take_over(true))), 2);
  EXPECT_EQ(must(run_to_end(jobs().take_over(true))), 0);

  EXPECT_EQ(code_of(run_to_end(jobs().renew(old.lease, seconds(30)))), Errc::lease_lost);
  EXPECT_EQ(told_of(job), "queued started");
  EXPECT_EQ(claim_up_to(5).size(), 3U);
  EXPECT_EQ(code_of(run_to_end(jobs().renew(old.lease, seconds(30)))), Errc::lease_lost);
  EXPECT_EQ(must(run_to_end(jobs().take_over(true))), 3);
  const auto lost = find(job);
  EXPECT_EQ(lost.state, JobState::failed) << "what ends the server each time is not tried for ever";
  ASSERT_TRUE(lost.failure);
  EXPECT_EQ(lost.failure->code, "WORKER_LOST");
}

TEST_P(JobStoreContract, TakeOverEndsWhatWasToBeStoppedAsCancelled) {
  for (const bool all : {false, true}) {
    const auto claimed = begin("ann");
    must(run_to_end(jobs().cancel(claimed.job.user, claimed.job.id)));
    clock_.advance(seconds(30));
    EXPECT_EQ(must(run_to_end(jobs().take_over(all))), 1);
    EXPECT_EQ(find(claimed.job).state, JobState::cancelled);
    EXPECT_EQ(told_of(claimed.job), "queued started cancelled");
  }
}

}  // namespace
}  // namespace rushes::jobs
