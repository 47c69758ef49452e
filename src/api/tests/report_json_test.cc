#include "api/report_json.h"

#include <gtest/gtest.h>

namespace rushes::api {
namespace {

using std::chrono::seconds;

const Timestamp kStart = from_millis(1'767'225'600'000);

jobs::JobReport waiting() {
  jobs::JobReport report;
  report.job.id = JobId("job");
  report.position = 3;
  report.waiting = 7;
  return report;
}

jobs::Event event(int second, jobs::EventType type, const std::string& payload) {
  jobs::Event made;
  made.at = kStart + seconds(second);
  made.type = type;
  made.payload = payload;
  return made;
}

TEST(ReasonOf, SaysWhyAJobWaits) {
  auto report = waiting();
  EXPECT_EQ(reason_of(report, kStart), "It is number 3 of 7 that wait for a worker.");
  report.type.max_running = 2;
  EXPECT_EQ(reason_of(report, kStart),
            "It is number 3 of 7 that wait for a worker; at most 2 of the type transcript run at once.");
  report.running_of_user = 5;
  report.user_is_at_limit = true;
  EXPECT_EQ(reason_of(report, kStart), "Its user has 5 jobs running, the most that one user may have at once now.");
  report.running_of_user = 1;
  EXPECT_EQ(reason_of(report, kStart), "Its user has 1 job running, the most that one user may have at once now.");
  report.type.paused = true;
  EXPECT_EQ(reason_of(report, kStart), "Jobs of the type transcript are paused.");
  report.run_at = kStart + seconds(60);
  EXPECT_EQ(reason_of(report, kStart), "It is scheduled for 2026-01-01T00:01:00.000Z.");
  report.job.failure = jobs::Failure{"SOURCE_UNAVAILABLE", "The site is away.", true, {}};
  EXPECT_EQ(reason_of(report, kStart),
            "It waits until 2026-01-01T00:01:00.000Z before it is tried again: The site is away.");
}

TEST(ReasonOf, SaysHowAJobEnded) {
  auto report = waiting();
  report.job.state = jobs::JobState::failed;
  report.job.failure = jobs::Failure{"URL_DEAD", "The video is gone.", false, {}};
  EXPECT_EQ(reason_of(report, kStart), "It failed: The video is gone. [URL_DEAD]");
}

TEST(StageTimes, FollowTheEventsAttemptByAttempt) {
  using jobs::EventType;
  const auto stages = stage_times(
      {
          event(0, EventType::queued, R"({"stage":"queued","metadata":{}})"),
          event(1, EventType::queued, R"({"stage":"queued","metadata":{"positionChanged":true}})"),
          event(4, EventType::started, R"({"stage":"processing","metadata":{"attempt":1}})"),
          event(5, EventType::progress, R"({"stage":"Transcribing audio","metadata":{"attempt":1}})"),
          event(6, EventType::progress, R"({"stage":"Transcribing audio","metadata":{"attempt":1}})"),
          event(9, EventType::started, R"({"stage":"processing","metadata":{"attempt":2}})"),
          event(12, EventType::failed, R"({"stage":"failed","metadata":{"attempt":2}})"),
      },
      {});
  ASSERT_EQ(stages.size(), 4U);
  EXPECT_EQ(stages[0].stage, "queued");
  EXPECT_EQ(stages[0].to, kStart + seconds(4));
  EXPECT_EQ(stages[2].stage, "Transcribing audio");
  EXPECT_EQ(stages[2].from, kStart + seconds(5));
  EXPECT_EQ(stages[2].to, kStart + seconds(9));
  EXPECT_EQ(stages[3].attempt, 2);
  EXPECT_EQ(stages[3].to, kStart + seconds(12));
}

TEST(StageTimes, ThePauseBehindAnAttemptIsNoneOfIts) {
  using jobs::EventType;
  const auto attempt = [](int series, int number, int from, int to) {
    jobs::Attempt made;
    made.series = series;
    made.number = number;
    made.started_at = kStart + seconds(from);
    made.ended_at = kStart + seconds(to);
    return made;
  };
  const std::vector<jobs::Attempt> attempts{attempt(0, 1, 1, 3), attempt(1, 1, 9, 11), attempt(1, 2, 14, 15)};
  const auto stages = stage_times(
      {
          event(0, EventType::queued, R"({"stage":"queued","metadata":{}})"),
          event(1, EventType::started, R"({"stage":"processing","metadata":{"attempt":1}})"),
          event(3, EventType::failed, R"({"stage":"failed","metadata":{"attempt":1}})"),
          event(8, EventType::queued, R"({"stage":"queued","metadata":{"restarted":true}})"),
          event(9, EventType::started, R"({"stage":"processing","metadata":{"attempt":1}})"),
          event(10, EventType::progress, R"({"stage":"Fetching video data","metadata":{"attempt":1}})"),
          event(14, EventType::started, R"({"stage":"processing","metadata":{"attempt":2}})"),
      },
      attempts);
  ASSERT_EQ(stages.size(), 8U);
  EXPECT_EQ(stages[1].to, kStart + seconds(3));
  EXPECT_EQ(stages[2].stage, "queued");
  EXPECT_EQ(stages[4].stage, "Fetching video data");
  EXPECT_EQ(stages[4].to, kStart + seconds(11));
  EXPECT_EQ(stages[5].stage, "waiting");
  EXPECT_EQ(stages[5].attempt, 0);
  EXPECT_EQ(stages[5].from, kStart + seconds(11));
  EXPECT_EQ(stages[5].to, kStart + seconds(14));
  EXPECT_EQ(stages[6].attempt, 2);
  EXPECT_EQ(stages[6].to, kStart + seconds(15));
  EXPECT_EQ(stages[7].stage, "waiting");
  EXPECT_FALSE(stages[7].to) << "it waits still";
}

}  // namespace
}  // namespace rushes::api
