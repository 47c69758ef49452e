#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

#include <thread>

namespace rushes::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Failure kFinal{"MEDIA_UNREADABLE", "The file cannot be read.", false, {}};
const Failure kPassing{"NETWORK_AWAY", "The network is away.", true, {}};

TEST_P(JobStoreContract, CancelOfAWaitingJobEndsIt) {
  const auto job = submit("ann");
  clock_.advance(seconds(1));

  EXPECT_EQ(must(run_to_end(jobs().cancel(job.user, job.id))), CancelOutcome::cancelled);

  const auto ended = find(job);
  EXPECT_EQ(ended.state, JobState::cancelled);
  EXPECT_EQ(ended.stage, "cancelled");
  EXPECT_EQ(ended.finished_at, clock_.now());
  EXPECT_FALSE(ended.queue_position);
  EXPECT_TRUE(claim_up_to(1).empty());
  EXPECT_EQ(told_of(job), "queued cancelled");
  const auto payload = last_payload(job);
  EXPECT_EQ(payload.at("eventType"), "job-cancelled");
  EXPECT_EQ(payload.at("progress"), 0);
  EXPECT_EQ(payload.at("stage"), "cancelled");
  EXPECT_EQ(payload.at("message"), "Job cancelled by user");
  EXPECT_FALSE(payload.contains("error"));
}

TEST_P(JobStoreContract, CancelOfARunningJobWaitsForItsWorker) {
  const auto claimed = begin("ann");
  must(run_to_end(jobs().report(claimed.lease, ProgressReport{40, "Generating AI analysis", "", ""})));

  EXPECT_EQ(must(run_to_end(jobs().cancel(claimed.job.user, claimed.job.id))), CancelOutcome::stopping);
  EXPECT_EQ(must(run_to_end(jobs().cancel(claimed.job.user, claimed.job.id))), CancelOutcome::stopping);

  EXPECT_EQ(find(claimed.job).state, JobState::processing);
  EXPECT_TRUE(find(claimed.job).cancel_requested);
  EXPECT_EQ(told_of(claimed.job), "queued started progress");

  must(run_to_end(jobs().confirm_cancelled(claimed.lease)));

  EXPECT_EQ(find(claimed.job).state, JobState::cancelled);
  EXPECT_FALSE(find(claimed.job).cancel_requested);
  EXPECT_EQ(told_of(claimed.job), "queued started progress cancelled");
  EXPECT_EQ(last_payload(claimed.job).at("progress"), 40);
}

TEST_P(JobStoreContract, CancelOfAJobThatWaitsToTryAgainEndsIt) {
  const auto claimed = begin("ann");
  must(run_to_end(jobs().fail(claimed.lease, kPassing, seconds(10))));
  EXPECT_EQ(must(run_to_end(jobs().cancel(claimed.job.user, claimed.job.id))), CancelOutcome::cancelled);
  clock_.advance(seconds(10));
  EXPECT_TRUE(claim_up_to(1).empty());
  EXPECT_FALSE(find(claimed.job).failure);
  EXPECT_EQ(told_of(claimed.job), "queued started cancelled");
}

TEST_P(JobStoreContract, CancelOfAnEndedJobIsAConflict) {
  const auto completed = begin("ann");
  complete(completed);
  const auto failed = begin("ann");
  must(run_to_end(jobs().fail(failed.lease, kFinal, milliseconds(0))));
  const auto cancelled = submit("ann");
  must(run_to_end(jobs().cancel(cancelled.user, cancelled.id)));

  for (const auto& job : {completed.job, failed.job, cancelled}) {
    const auto told = told_of(job);
    const auto refused = run_to_end(jobs().cancel(job.user, job.id));
    EXPECT_EQ(code_of(refused), Errc::conflict);
    EXPECT_EQ(name_of(refused), "JOB_ENDED");
    EXPECT_EQ(told_of(job), told);
  }
}

TEST_P(JobStoreContract, AnothersJobIsNotFound) {
  const auto job = submit("ann");
  const JobId unknown("0199e3a0-0000-7000-8000-000000000000");
  for (const auto& id : {job.id, unknown}) {
    const auto refused = run_to_end(jobs().cancel(UserId("bob"), id));
    EXPECT_EQ(code_of(refused), Errc::not_found);
    EXPECT_EQ(name_of(refused), "JOB_NOT_FOUND");
    EXPECT_EQ(code_of(run_to_end(jobs().restart(UserId("bob"), id, kNoLimit))), Errc::not_found);
  }
  EXPECT_EQ(find(job).state, JobState::pending);
  EXPECT_TRUE(events_of("bob").empty());
}

TEST_P(JobStoreContract, CompleteOfAJobToBeStoppedEndsItAsCancelled) {
  const auto claimed = begin("ann");
  must(run_to_end(jobs().cancel(claimed.job.user, claimed.job.id)));

  EXPECT_EQ(code_of(run_to_end(jobs().complete(claimed.lease, completion()))), Errc::cancelled);

  EXPECT_EQ(find(claimed.job).state, JobState::cancelled);
  EXPECT_EQ(told_of(claimed.job), "queued started cancelled");
  EXPECT_EQ(must(run_to_end(queries().history(claimed.job.user, HistoryQuery()))).total, 0);
}

TEST_P(JobStoreContract, FailOfAJobToBeStoppedEndsItAsCancelled) {
  const auto claimed = begin("ann");
  must(run_to_end(jobs().cancel(claimed.job.user, claimed.job.id)));
  EXPECT_EQ(must(run_to_end(jobs().fail(claimed.lease, kPassing, milliseconds(0)))), AfterFailure::cancelled);
  EXPECT_EQ(told_of(claimed.job), "queued started cancelled");
}

TEST_P(JobStoreContract, CompleteAgainstCancelHasExactlyOneEnd) {
  int completed_first = 0;
  for (int round = 0; round < 150; ++round) {
    const auto claimed = begin("ann");
    const auto made = completion();
    Result<CancelOutcome> cancelled = CancelOutcome::stopping;
    std::thread other([&] { cancelled = run_to_end(jobs().cancel(claimed.job.user, claimed.job.id)); });
    const auto completed = run_to_end(jobs().complete(claimed.lease, made));
    other.join();

    const auto end = told_of(claimed.job);
    if (completed) {
      ++completed_first;
      EXPECT_EQ(code_of(cancelled), Errc::conflict);
      EXPECT_EQ(end, "queued started completed");
      EXPECT_EQ(find(claimed.job).state, JobState::completed);
    } else {
      EXPECT_EQ(completed.error().code(), Errc::cancelled);
      EXPECT_EQ(must(cancelled), CancelOutcome::stopping);
      EXPECT_EQ(end, "queued started cancelled");
      EXPECT_EQ(find(claimed.job).state, JobState::cancelled);
      EXPECT_EQ(code_of(run_to_end(queries().analysis(claimed.job.user, made.audit))), Errc::not_found);
    }
    EXPECT_EQ(code_of(run_to_end(jobs().confirm_cancelled(claimed.lease))), Errc::lease_lost);
  }
  RecordProperty("completed_first", completed_first);
}

TEST_P(JobStoreContract, RestartBeginsTheSameJobAgainFromEachEnd) {
  const auto completed = begin("ann");
  complete(completed);
  const auto failed = begin("ann");
  must(run_to_end(jobs().fail(failed.lease, kFinal, milliseconds(0))));
  const auto cancelled = begin("ann");
  must(run_to_end(jobs().cancel(cancelled.job.user, cancelled.job.id)));
  must(run_to_end(jobs().confirm_cancelled(cancelled.lease)));
  clock_.advance(seconds(3));

  for (const auto& before : {completed.job, failed.job, cancelled.job}) {
    const auto told = told_of(before);
    const auto restarted = must(run_to_end(jobs().restart(before.user, before.id, kNoLimit)));
    for (const auto& job : {restarted, find(before)}) {
      EXPECT_EQ(job.id, before.id);
      EXPECT_EQ(job.state, JobState::pending);
      EXPECT_EQ(job.progress, 0);
      EXPECT_EQ(job.stage, "queued");
      EXPECT_EQ(job.message, "Job queued at position 1");
      EXPECT_EQ(job.attempt, 0);
      EXPECT_TRUE(job.restarted);
      EXPECT_FALSE(job.cancel_requested);
      EXPECT_FALSE(job.failure);
      EXPECT_EQ(job.queue_position, 1);
      EXPECT_FALSE(job.processed_at);
      EXPECT_FALSE(job.finished_at);
      EXPECT_EQ(job.created_at, before.created_at);
    }
    EXPECT_EQ(told_of(before), told + " queued");
    const auto payload = last_payload(before);
    EXPECT_EQ(payload.at("progress"), 0);
    EXPECT_EQ(metadata_of(payload).at("restarted"), true);
    EXPECT_EQ(metadata_of(payload).at("queuePosition"), 1);
    EXPECT_FALSE(metadata_of(payload).contains("positionChanged"));

    const auto again = claim();
    EXPECT_EQ(again.job.id, before.id);
    EXPECT_EQ(again.job.attempt, 1);
    EXPECT_EQ(metadata_of(last_payload(before)).at("restarted"), true);
    complete(again);
    EXPECT_EQ(told_of(before), told + " queued started completed");
  }
}

TEST_P(JobStoreContract, RestartAfterExhaustedAttemptsHasAFreshSeries) {
  auto wanted = request("ann");
  wanted.max_attempts = 2;
  const auto job = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;
  for (int series = 0; series < 2; ++series) {
    EXPECT_EQ(must(run_to_end(jobs().fail(claim().lease, kPassing, milliseconds(0)))), AfterFailure::will_retry);
    EXPECT_EQ(must(run_to_end(jobs().fail(claim().lease, kPassing, milliseconds(0)))), AfterFailure::failed);
    must(run_to_end(jobs().restart(job.user, job.id, kNoLimit)));
  }
}

TEST_P(JobStoreContract, ARestartedJobGoesToTheEnd) {
  const auto first = begin("ann");
  complete(first);
  const auto second = submit("ann");
  must(run_to_end(jobs().restart(first.job.user, first.job.id, kNoLimit)));
  EXPECT_EQ(find(first.job).queue_position, 2);
  EXPECT_EQ(claim().job.id, second.id);
  EXPECT_EQ(claim().job.id, first.job.id);
}

TEST_P(JobStoreContract, RestartKeepsTheBodyAndTheInput) {
  auto wanted = request("ann");
  wanted.body = "words";
  wanted.input = R"({"size":5})";
  must(run_to_end(jobs().submit(wanted, kNoLimit)));
  complete(claim());
  must(run_to_end(jobs().restart(wanted.user, wanted.id, kNoLimit)));
  const auto again = claim();
  EXPECT_EQ(again.body, "words");
  EXPECT_EQ(again.job.input, wanted.input);
}

TEST_P(JobStoreContract, RestartKeepsTheAnalysisUntilTheNewOneIsSaved) {
  const auto claimed = begin("ann");
  const auto user = claimed.job.user;
  const auto old = completion("old");
  must(run_to_end(jobs().complete(claimed.lease, old)));

  must(run_to_end(jobs().restart(user, claimed.job.id, kNoLimit)));
  EXPECT_EQ(find(claimed.job).audit, old.audit);
  must(run_to_end(jobs().fail(claim().lease, kFinal, milliseconds(0))));
  EXPECT_EQ(must(run_to_end(queries().analysis(user, old.audit))).title, "old");

  must(run_to_end(jobs().restart(user, claimed.job.id, kNoLimit)));
  const auto fresh = completion("new");
  must(run_to_end(jobs().complete(claim().lease, fresh)));

  EXPECT_EQ(find(claimed.job).audit, fresh.audit);
  EXPECT_EQ(code_of(run_to_end(queries().analysis(user, old.audit))), Errc::not_found);
  const auto history = must(run_to_end(queries().history(user, HistoryQuery())));
  ASSERT_EQ(history.total, 1);
  EXPECT_EQ(history.analyses.at(0).id, fresh.audit);
}

TEST_P(JobStoreContract, RestartOfAJobThatHasNotEndedIsAConflict) {
  const auto waiting = submit("ann");
  EXPECT_EQ(name_of(run_to_end(jobs().restart(waiting.user, waiting.id, kNoLimit))), "JOB_NOT_ENDED");
  claim();
  const auto refused = run_to_end(jobs().restart(waiting.user, waiting.id, kNoLimit));
  EXPECT_EQ(code_of(refused), Errc::conflict);
  EXPECT_EQ(name_of(refused), "JOB_NOT_ENDED");
  EXPECT_EQ(told_of(waiting), "queued started");
}

TEST_P(JobStoreContract, RestartAtTheLimitIsExhausted) {
  const auto ended = begin("ann");
  complete(ended);
  submit("ann");
  const auto refused = run_to_end(jobs().restart(ended.job.user, ended.job.id, 1));
  EXPECT_EQ(code_of(refused), Errc::exhausted);
  EXPECT_EQ(name_of(refused), "QUEUE_LIMIT");
  EXPECT_EQ(find(ended.job).state, JobState::completed);
  EXPECT_TRUE(run_to_end(jobs().restart(ended.job.user, ended.job.id, 2)));
}

}  // namespace
}  // namespace rushes::jobs
