#include "jobs/transitions.h"

#include <gtest/gtest.h>

namespace rushes::jobs {
namespace {

const Timestamp kNow = from_millis(1'767'225'600'000);
const Timestamp kLater = kNow + std::chrono::seconds(5);
const Failure kPassing{"NETWORK_AWAY", "The network is away.", true, {}};
const Failure kFinal{"MEDIA_UNREADABLE", "The file cannot be read.", false, {}};

Job waiting() {
  NewJob request;
  request.id = JobId("j");
  request.user = UserId("ann");
  request.max_attempts = 2;
  return created(request, 3, std::nullopt, kNow).job;
}

Job running() { return started(waiting(), kNow).job; }

json::object payload(const Transition& transition) {
  return parse_json(payload_of(transition.job, *transition.event, 7, kLater)).value().as_object();
}

TEST(Transitions, ANewJobWaitsAtItsPosition) {
  const auto job = waiting();
  EXPECT_EQ(job.state, JobState::pending);
  EXPECT_EQ(job.queue_position, 3);
  EXPECT_EQ(job.message, "Job queued at position 3");
}

TEST(Transitions, TheWaitIsSaidAsPeopleSayIt) {
  const auto message = [](int seconds) { return moved(waiting(), 2, seconds).job.message; };
  EXPECT_EQ(message(0), "Job queued at position 2 (about 1 s to wait)");
  EXPECT_EQ(message(59), "Job queued at position 2 (about 59 s to wait)");
  EXPECT_EQ(message(60), "Job queued at position 2 (about 1 min to wait)");
  EXPECT_EQ(message(100), "Job queued at position 2 (about 2 min to wait)");
}

TEST(Transitions, StartingForgetsTheFailureBefore) {
  auto failed = attempt_failed(running(), kPassing, 0, kNow);
  ASSERT_EQ(failed.after, AfterFailure::will_retry);
  EXPECT_FALSE(failed.transition.event);
  const auto again = started(std::move(failed.transition.job), kLater).job;
  EXPECT_EQ(again.attempt, 2);
  EXPECT_EQ(again.progress, 10);
  EXPECT_EQ(again.processed_at, kLater);
  EXPECT_FALSE(again.failure);
}

TEST(Transitions, ProgressStaysBetweenTheStoredAnd99) {
  auto job = running();
  EXPECT_EQ(progressed(job, {5, "s", "m", ""}).job.progress, 10);
  EXPECT_EQ(progressed(job, {100, "s", "m", ""}).job.progress, 99);
  EXPECT_EQ(progressed(job, {50, "", "m", ""}).job.stage, "processing");
}

TEST(Transitions, AFailureAsksTheOwnersWishFirst) {
  auto job = running();
  job.cancel_requested = true;
  for (const auto& failure : {kPassing, kFinal}) {
    const auto failing = attempt_failed(job, failure, 0, kNow);
    EXPECT_EQ(failing.after, AfterFailure::cancelled);
    EXPECT_EQ(failing.transition.job.state, JobState::cancelled);
    EXPECT_EQ(failing.transition.event->type, EventType::cancelled);
    EXPECT_FALSE(failing.transition.job.failure);
  }
}

TEST(Transitions, TheLastAttemptsFailureIsTheJobs) {
  auto job = running();
  EXPECT_EQ(attempt_failed(job, kPassing, job.max_attempts - 2, kLater).after, AfterFailure::will_retry);
  const auto failing = attempt_failed(job, kPassing, job.max_attempts - 1, kLater);
  EXPECT_EQ(failing.after, AfterFailure::failed);
  EXPECT_EQ(failing.transition.job.finished_at, kLater);
  EXPECT_EQ(payload(failing.transition).at("error"), "The network is away.");
}

TEST(Transitions, HandingBackKeepsTheAttemptsNumber) {
  const auto before = running();
  const auto back = handed_back(before);
  EXPECT_EQ(back.job.attempt, before.attempt);
  EXPECT_EQ(back.job.state, JobState::pending);
  EXPECT_FALSE(back.event);
}

TEST(Transitions, OnlyAnEndedJobRestarts) {
  for (const auto& job : {waiting(), running()}) {
    const auto refused = restarted(job, 1, std::nullopt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::conflict);
    EXPECT_EQ(refused.error().public_name(), "JOB_NOT_ENDED");
  }
  const auto again = restarted(cancelled(running(), kNow).job, 1, std::nullopt);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->job.restarted);
  EXPECT_EQ(again->job.attempt, 0);
  EXPECT_FALSE(again->job.processed_at);
  EXPECT_EQ(payload(*again).at("metadata").at("restarted"), true);
}

TEST(Transitions, APayloadHasWhatItsEventNeedsAndNoMore) {
  Completion completion;
  completion.audit = AuditId("a");
  completion.result = {{"summary", "short"}};
  const auto done = completed(running(), completion, kLater);
  const json::object expected{{"jobId", "j"},
                              {"eventType", "job-completed"},
                              {"progress", 100},
                              {"stage", "completed"},
                              {"message", "Job completed successfully"},
                              {"result", {{"summary", "short"}}},
                              {"metadata",
                               {{"jobType", "transcript"},
                                {"attempt", 1},
                                {"auditId", "a"},
                                {"seq", 7},
                                {"timestamp", "2026-01-01T00:00:05.000Z"}}}};
  EXPECT_EQ(payload(done), expected);
}

TEST(Transitions, WordsOfStatesAndTypesGoBothWays) {
  for (const auto type : {JobType::youtube, JobType::upload, JobType::transcript}) {
    EXPECT_EQ(*parse_job_type(to_string(type)), type);
  }
  for (const auto state :
       {JobState::pending, JobState::processing, JobState::completed, JobState::failed, JobState::cancelled}) {
    EXPECT_EQ(*parse_job_state(to_string(state)), state);
  }
  const auto unknown = parse_job_state("done");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), Errc::invalid_argument);
  EXPECT_EQ(unknown.error().what(),
            "'done' is not a job status; allowed: pending, processing, completed, failed, cancelled.");
}

}  // namespace
}  // namespace rushes::jobs
