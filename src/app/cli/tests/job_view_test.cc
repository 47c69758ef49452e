#include "app/cli/job_view.h"

#include "app/cli/analysis_text.h"
#include "app/cli/job_lookup.h"
#include "app/cli/job_table.h"
#include "base/json_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rushes::app::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

json::object object(std::string_view text) { return parse_json(text).value().get_object(); }

constexpr std::string_view kListed = R"({"jobId":"0190f3a1-0000-7000-8000-0000deadbeef","type":"upload",
    "status":"failed","progress":57,"stage":"failed","message":"Job processing failed","error":"It is broken.",
    "createdAt":"2026-01-01T00:00:00.000Z","processedAt":"2026-01-01T00:00:01.000Z",
    "finishedAt":"2026-01-01T00:01:06.000Z",
    "metadata":{"videoTitle":"talk.mp4","jobType":"upload","attempt":2,"errorCode":"MEDIA_UNREADABLE"}})";

TEST(JobView, ReadsAnItemOfTheList) {
  const auto job = job_from_rest(object(kListed));
  EXPECT_EQ(job.id, "0190f3a1-0000-7000-8000-0000deadbeef");
  EXPECT_EQ(job.title, "talk.mp4");
  EXPECT_EQ(job.error_code, "MEDIA_UNREADABLE");
  EXPECT_TRUE(job.ended_badly());
  const auto line = line_of(job, "2026-06-01T00:00:00Z");
  EXPECT_EQ(line.mark, Mark::failed);
  EXPECT_EQ(line.text, "It is broken.");
  EXPECT_EQ(line.time, "1:05") << "an ended job's time stands still";
}

TEST(JobView, ReadsAStatusWithoutWhatItCannotKnow) {
  const auto job = job_from_rest(object(R"({"status":"processing","progress":300,"stage":null,"error":null,
      "result":null,"createdAt":"x"})"),
                                 "the-id");
  EXPECT_EQ(job.id, "the-id");
  EXPECT_EQ(job.progress, 100);
  EXPECT_EQ(name_of(job), "the-id");
  EXPECT_FALSE(job.ended());
}

TEST(JobView, FollowsTheEvents) {
  JobView job;
  apply_update(job, object(R"({"jobId":"j","eventType":"job-queued","progress":0,"stage":"queued","metadata":
      {"queuePosition":3,"videoTitle":"T"}})"));
  EXPECT_EQ(job.status, "pending");
  EXPECT_EQ(job.queue_position, 3);
  apply_update(job, object(R"({"jobId":"j","eventType":"job-started","progress":10,"stage":"Job processing started",
      "metadata":{"timestamp":"2026-01-01T00:00:00Z","attempt":2}})"));
  apply_update(job, object(R"({"jobId":"j","eventType":"job-progress","progress":50,"stage":"Transcribing audio",
      "message":"Transcribing audio: 0:42 of 3:10"})"));
  EXPECT_EQ(job.status, "processing");
  EXPECT_EQ(words_of(job), "Transcribing audio: 0:42 of 3:10 (attempt 2)");
  EXPECT_EQ(line_of(job, "2026-01-01T00:00:09Z").time, "0:09");
  apply_update(job, object(R"({"jobId":"j","eventType":"job-failed","progress":50,"stage":"failed","message":
      "Job processing failed","error":"Broken.","metadata":{"errorCode":"BROKEN"}})"));
  EXPECT_EQ(job.error, "Broken.");
  EXPECT_TRUE(job.ended_badly());
}

TEST(JobView, AnEndStaysUntilTheJobIsStartedAgain) {
  JobView job;
  job.status = "failed";
  job.error = "Broken.";
  apply_update(job, object(R"({"jobId":"j","eventType":"job-progress","progress":20})"));
  EXPECT_EQ(job.status, "failed");
  apply_update(job, object(R"({"jobId":"j","eventType":"something-new","progress":20})"));
  EXPECT_EQ(job.status, "failed");
  apply_update(job, object(R"({"jobId":"j","eventType":"job-queued","progress":0,"stage":"queued"})"));
  EXPECT_EQ(job.status, "pending");
  EXPECT_EQ(job.error, "");
}

TEST(JobView, ASnapshotHasTheFormOfAnEvent) {
  const auto update = as_update(job_from_rest(object(kListed)));
  EXPECT_EQ(to_json_text(update),
            R"({"jobId":"0190f3a1-0000-7000-8000-0000deadbeef","eventType":"job-failed","progress":57,)"
            R"("stage":"failed","message":"Job processing failed","error":"It is broken.","metadata":)"
            R"({"snapshot":true,"videoTitle":"talk.mp4","jobType":"upload","attempt":2,)"
            R"("errorCode":"MEDIA_UNREADABLE"}})");
  JobView job;
  job.status = "processing";
  EXPECT_EQ(as_update(job).at("eventType"), "job-progress");
  JobView again;
  again.title = "x";
  apply_update(again, update);
  EXPECT_EQ(again.status, "failed");
}

TEST(JobLookup, TakesTheStartOrTheEndOfAnId) {
  EXPECT_TRUE(means("0190", "0190f3a1-0000-7000-8000-0000deadbeef"));
  EXPECT_TRUE(means("beef", "0190f3a1-0000-7000-8000-0000deadbeef"));
  EXPECT_FALSE(means("eef", "0190f3a1-0000-7000-8000-0000deadbeef")) << "too short";
  EXPECT_FALSE(means("7000", "0190f3a1-0000-7000-8000-0000deadbeef")) << "the middle";
}

TEST(JobTable, ShowsWholeIdsToScriptsAndEndsOfIdsInNarrowTerminals) {
  const std::vector<JobView> jobs{job_from_rest(object(kListed))};
  const auto now = from_millis(1'767'225'600'000 + 300'000);
  Terminal terminal;
  const auto plain = job_table(jobs, terminal, 80, now);
  EXPECT_THAT(plain, HasSubstr("0190f3a1-0000-7000-8000-0000deadbeef  failed       57%  upload      5 min ago   "
                               "talk.mp4: It is broken.\n"));
  terminal.live = true;
  const auto narrow = job_table(jobs, terminal, 70, now);
  EXPECT_THAT(narrow, HasSubstr("\ndeadbeef  failed"));
  EXPECT_THAT(narrow, Not(HasSubstr("0190f3a1")));
}

TEST(AnalysisText, PrintsWhatIsThereAndNothingElse) {
  const auto result = object(R"({"video":{"title":"A \u001b[2Jtalk","duration":"3:10","views":12,"likes":0},
      "summary":"What it is about.",
      "analysis":{"titleRewrite":{"titles":["One","Two"]},
        "descriptionRewrite":{"description":"","hashtags":["#a","#b"],"keyPoints":[]},
        "keywordExtraction":{"primaryKeywords":["x","y"],"trendingKeywords":[]},
        "chapters":{"chapters":[{"timestamp":"0:00","title":"Start","description":"Hello"}]}},
      "transcript":{"language":"en","text":"the words","vttUrl":"/files/v"},
      "thumbnails":[{"url":"/files/t","time":62.5}],
      "engine":{"transcription":"pocketsphinx","analysis":"extractive"}})");
  const auto text = analysis_text(result, Terminal(), 60, false);
  EXPECT_EQ(text,
            "A  [2Jtalk\n3:10 · 12 views\n\n"
            "Summary\n  What it is about.\n\n"
            "Titles\n   1  One\n   2  Two\n\n"
            "Hashtags\n  #a #b\n\n"
            "Keywords\n  primary    x, y\n\n"
            "Chapters\n    0:00  Start\n          Hello\n\n"
            "Thumbnails\n    1:02  /files/t\n\n"
            "Transcript\n  language   en\n  captions   /files/v\n\n"
            "Made with\n  speech by pocketsphinx, analysis by extractive\n");
  EXPECT_THAT(analysis_text(result, Terminal(), 60, true), HasSubstr("the words"));
  EXPECT_EQ(analysis_text({}, Terminal(), 60, false), "Analysis\n");
}

}  // namespace
}  // namespace rushes::app::cli
