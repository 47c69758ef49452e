#include "api/schedule_form.h"

#include "api/tests/context_fixture.h"
#include "base/json_writer.h"

namespace rushes::api {
namespace {

class ScheduleFormTest : public ContextFixture {
 protected:
  Result<schedules::Change> read(std::string_view text) const {
    unknown_.clear();
    return read_schedule(context(), user_, parse_json(text).value().get_object(), unknown_);
  }
  std::string refusal(std::string_view text, const char* name) const {
    const auto change = read(text);
    if (change) return "accepted";
    EXPECT_EQ(change.error().public_name(), name) << text;
    EXPECT_EQ(change.error().http_status(), 422) << text;
    return change.error().what();
  }

  const UserId user_{"ann"};
  mutable Unknown unknown_;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_F(ScheduleFormTest, WhatIsAskedForIsRead) {
  const auto all = read(R"({"name": "nightly", "cron": "30 2 * * *", "timeZone": "Europe/Berlin", "unique": false,
    "paused": true, "job": {"transcript": "words", "configuration": {"title": "T"},
    "options": {"priority": -3, "uniqueKey": "k"}}})")
                       .value();
  EXPECT_EQ(all.name, "nightly");
  EXPECT_EQ(all.cron, "30 2 * * *");
  EXPECT_EQ(all.zone, "Europe/Berlin");
  EXPECT_EQ(all.unique, false);
  EXPECT_EQ(all.paused, true);
  ASSERT_TRUE(all.job);
  EXPECT_EQ(all.job->type, "transcript");
  EXPECT_EQ(all.job->title, "T");
  EXPECT_EQ(all.job->body, "words");
  EXPECT_EQ(all.job->unique_key, "k");
  EXPECT_EQ(all.job->priority, -3);
  const auto video = read(R"({"job": {"configuration": {"url": "https://example.org/v"}}, "name": null})").value();
  EXPECT_EQ(video.job->type, "youtube");
  EXPECT_EQ(video.job->url, "https://example.org/v");
  EXPECT_FALSE(video.name);
  EXPECT_FALSE(read("{}")->cron);
}

TEST_F(ScheduleFormTest, WhatIsWrongIsNamed) {
  EXPECT_TRUE(read(R"({"crom": "@daily", "job": {"transcript": "w", "options": {"prio": 1}}})"));
  ASSERT_EQ(unknown_.size(), 2U);
  EXPECT_TRUE(has(unknown_[0], "crom is unknown; allowed: name, cron")) << unknown_[0];
  EXPECT_TRUE(has(unknown_[1], "job.options.prio is unknown")) << unknown_[1];
  EXPECT_TRUE(has(refusal(R"({"cron": 5})", "SCHEDULE_INVALID"), "cron 5 is not a text"));
  EXPECT_TRUE(has(refusal(R"({"unique": "yes"})", "SCHEDULE_INVALID"), "unique \"yes\""));
  EXPECT_TRUE(
      has(refusal(R"({"name": ")" + std::string(201, 'x') + "\"}", "SCHEDULE_INVALID"), "at most 200 are taken"));
  EXPECT_TRUE(has(refusal(R"({"job": [5]})", "SCHEDULE_INVALID"), "job [5] is no object"));
  EXPECT_TRUE(has(refusal(R"({"cron": "0 0 30 2 *"})", "CRON_NEVER"), "day of month '30'"));
  EXPECT_TRUE(has(refusal(R"({"cron": "61 * * * *"})", "CRON_INVALID"), "minute '61'"));
  EXPECT_TRUE(has(refusal(R"({"timeZone": "Mars"})", "TIME_ZONE_UNKNOWN"), "'Mars'"));
  EXPECT_TRUE(has(refusal(R"({"job": {}})", "URL_MISSING"), "url"));
  EXPECT_TRUE(has(refusal(R"({"job": {"type": "upload"}})", "ITEM_TYPE"), "upload"));
  EXPECT_TRUE(has(refusal(R"({"job": {"transcript": "w", "idempotencyKey": "k"}})", "SCHEDULE_INVALID"), "leave it"));
  EXPECT_TRUE(
      has(refusal(R"({"job": {"transcript": "w", "options": {"runAt": "2026-02-01T00:00:00Z"}}})", "SCHEDULE_INVALID"),
          "job.options.runAt"));
}

TEST_F(ScheduleFormTest, AnAnswerSaysWhenItComesNext) {
  schedules::Schedule schedule;
  schedule.id = schedules::ScheduleId("an id");
  schedule.cron = "30 2 * * *";
  schedule.zone = "Europe/Berlin";
  schedule.job.type = "youtube";
  schedule.job.input = R"({"configuration":{"url":"https://example.org/v"}})";
  schedule.job.priority = -1;
  schedule.created_at = clock_.now();
  schedule.next_at = clock_.now() + std::chrono::minutes(90);
  auto shown = to_json(schedule);
  EXPECT_EQ(to_json_text(shown.at("nextRuns")),
            R"(["2026-01-01T01:30:00.000Z","2026-01-02T01:30:00.000Z","2026-01-03T01:30:00.000Z",)"
            R"("2026-01-04T01:30:00.000Z","2026-01-05T01:30:00.000Z"])");
  EXPECT_EQ(to_json_text(shown.at("job")),
            R"({"type":"video","configuration":{"url":"https://example.org/v"},"options":{"priority":-1}})");
  EXPECT_TRUE(shown.at("lastRun").is_null());
  schedule.paused = true;
  schedule.next_at.reset();
  schedule.last = schedules::LastRun{clock_.now(), "QUEUE_LIMIT", std::nullopt};
  shown = to_json(schedule);
  EXPECT_TRUE(shown.at("nextRuns").get_array().empty());
  EXPECT_EQ(to_json_text(shown.at("lastRun")),
            R"({"at":"2026-01-01T00:00:00.000Z","outcome":"skipped","reason":"QUEUE_LIMIT"})");
}

}  // namespace
}  // namespace rushes::api
