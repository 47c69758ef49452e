#include "jobs/job_json.h"

#include <gtest/gtest.h>

namespace rushes::jobs {
namespace {

Job failed_job() {
  Job job;
  job.id = JobId("j");
  job.user = UserId("ann");
  job.type = JobType::upload;
  job.state = JobState::failed;
  job.progress = 50;
  job.stage = "failed";
  job.message = "Job processing failed";
  job.attempt = 3;
  job.failure = Failure{"MEDIA_UNREADABLE", "The file cannot be read.", false, {}};
  job.input = R"({"configuration":{"tone":"dry"},"fileName":"a.mp4","size":5,"path":"/var/lib/secret"})";
  job.created_at = from_millis(1'767'225'600'000);
  job.finished_at = job.created_at + std::chrono::seconds(1);
  return job;
}

TEST(JobJson, AStatusHasAllMembersOfTheContract) {
  const auto status = job_status(failed_job(), std::nullopt);
  EXPECT_EQ(status.at("status"), "failed");
  EXPECT_EQ(status.at("progress"), 50);
  EXPECT_EQ(status.at("stage"), "failed");
  EXPECT_EQ(status.at("type"), "upload");
  EXPECT_TRUE(status.at("result").is_null());
  EXPECT_EQ(status.at("error"), "The file cannot be read.");
  EXPECT_EQ(status.at("createdAt"), "2026-01-01T00:00:00.000Z");
  EXPECT_TRUE(status.at("processedAt").is_null());
  EXPECT_EQ(status.at("finishedAt"), "2026-01-01T00:00:01.000Z");
  EXPECT_FALSE(status.contains("queuePosition"));
  EXPECT_EQ(status.at("metadata").at("errorCode"), "MEDIA_UNREADABLE");
}

TEST(JobJson, AStatusShowsWhatWasAskedForAndNoPath) {
  const json::object expected{{"configuration", {{"tone", "dry"}}}, {"fileName", "a.mp4"}, {"size", 5}};
  EXPECT_EQ(job_status(failed_job(), std::nullopt).at("data"), expected);
  EXPECT_FALSE(job_summary(failed_job()).contains("data"));
}

TEST(JobJson, ASubmitIsAnsweredWithItsPosition) {
  Job job;
  job.id = JobId("j");
  job.message = "Job queued at position 4";
  job.queue_position = 4;
  EXPECT_EQ(submit_answer(job), R"({"jobId":"j","message":"Job queued at position 4","queuePosition":4})");
  job.queue_position.reset();
  EXPECT_EQ(submit_answer(job), R"({"jobId":"j","message":"Job queued at position 4","queuePosition":null})");
}

TEST(JobJson, AHistoryEntryLeavesTheTranscriptOut) {
  Analysis analysis;
  analysis.id = AuditId("a");
  analysis.job = JobId("j");
  analysis.title = "Film";
  analysis.result = {{"summary", "short"}, {"transcript", {{"text", "long"}}}};
  const auto entry = history_entry(analysis);
  EXPECT_FALSE(entry.contains("transcript"));
  EXPECT_EQ(entry.at("summary"), "short");
  EXPECT_EQ(entry.at("auditId"), "a");
  EXPECT_EQ(entry.at("jobId"), "j");
  EXPECT_EQ(entry.at("title"), "Film");
}

}  // namespace
}  // namespace rushes::jobs
