#include "app/cli/operator_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rushes::app::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Terminal kPlain{false, false, true};
const Timestamp kNow = from_millis(1'767'225'600'000);

json::object parsed(std::string_view text) { return parse_json(text).value().as_object(); }

TEST(OperatorText, TheQueueIsATable) {
  const auto text = queue_text(parsed(R"({
    "waiting":5,"running":2,"scheduled":1,"dead":3,"oldestWaiting":"2025-12-31T23:50:00.000Z","users":3,
    "types":{"youtube":{"waiting":5,"running":2,"paused":true,"maxRunning":null},
             "upload":{"waiting":0,"running":0,"paused":false,"maxRunning":4}},
    "storage":{"uploads":3145728,"results":2048,"reserved":0,"limitPerUser":21474836480,"refused":0},
    "lastMinute":{"submitted":7,"started":6,"completed":4,"failed":1,"cancelled":0},
    "busiest":[{"userId":"ann\u001b[2J","waiting":4,"running":1}]})"),
                               kPlain, kNow);
  EXPECT_THAT(text, HasSubstr("youtube               5          2  paused\n"));
  EXPECT_THAT(text, HasSubstr("upload                0          0  at most 4\n"));
  EXPECT_THAT(text, HasSubstr("since 10 min ago"));
  EXPECT_THAT(text,
              HasSubstr("Storage       3 MiB of uploads, 2 KiB of results, 0 bytes reserved; at most 20 GiB a user\n"));
  EXPECT_THAT(text, HasSubstr("7 submitted, 6 started, 4 completed, 1 failed, 0 cancelled"));
  EXPECT_THAT(text, HasSubstr("and 2 more"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(OperatorText, AJobsTimeIsDrawn) {
  const auto text = job_text(parsed(R"({
    "jobId":"j","userId":"ann","type":"upload","status":"failed","reason":"It failed: No. [X]",
    "attempts":[{"number":1,"startedAt":"2026-01-01T00:00:00.000Z","endedAt":"2026-01-01T00:01:10.000Z",
                 "outcome":"failed","error":{"code":"X","message":"No.","log":"line one\nline two\n"}}],
    "stages":[{"stage":"queued","attempt":0,"seconds":10},{"stage":"Transcribing audio","attempt":1,"seconds":30.04}]})"),
                             kPlain, 80);
  EXPECT_THAT(text, HasSubstr("It failed: No. [X]"));
  EXPECT_THAT(text, HasSubstr("1:10  X: No."));
  EXPECT_THAT(text, HasSubstr("│ line one\n"));
  EXPECT_THAT(text, HasSubstr("│ line two\n"));
  EXPECT_THAT(text, HasSubstr("10.0 s  ▇▇▇▇▇▇▇▇▇▇\n"));
  EXPECT_THAT(text, HasSubstr("30.0 s  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇\n"));
}

TEST(OperatorText, WhatAWorkerWroteIsShownWhole) {
  const std::string lines = "  File x.py, line 1\\nerror: " + std::string(60, 'x') + " because " + std::string(60, 'y');
  const auto report = parsed(R"({"jobId":"j","attempts":[{"series":1,"number":1,"outcome":"failed",
    "error":{"code":"X","message":"No.","log":")" +
                             lines + R"("}}]})");
  const auto piped = job_text(report, kPlain, 80);
  EXPECT_THAT(piped, HasSubstr("│   File x.py, line 1\n"));
  EXPECT_THAT(piped, HasSubstr("│ error: " + std::string(60, 'x') + " because " + std::string(60, 'y') + "\n"));
  EXPECT_THAT(piped, Not(HasSubstr("series")));
  const auto read = job_text(report, {true, false, true}, 80);
  EXPECT_THAT(read,
              HasSubstr("     │ error: " + std::string(60, 'x') + "\n     │ because " + std::string(60, 'y') + "\n"));
}

TEST(OperatorText, AttemptsOfSeveralSeriesAreToldApart) {
  const auto text = job_text(parsed(R"({"jobId":"j","attempts":[
    {"series":1,"number":1,"startedAt":"A","outcome":"failed"},{"series":1,"number":2,"startedAt":"B","outcome":"failed"},
    {"series":2,"number":1,"startedAt":"C","outcome":"completed"}]})"),
                             kPlain, 80);
  EXPECT_THAT(text, ::testing::ContainsRegex("series 1\n  1  A.*\n  2  B.*\nseries 2\n  1  C"));
}

TEST(OperatorText, FailedJobsHaveTheirReason) {
  EXPECT_EQ(dead_text({}, kPlain, kNow), "No failed jobs.\n");
  const auto page = parsed(R"({"jobs":[{"jobId":"j","userId":"ann","finishedAt":"2025-12-31T22:00:00.000Z",
    "error":"The video is gone.","metadata":{"errorCode":"URL_DEAD"}}]})");
  EXPECT_THAT(dead_text(page.at("jobs").as_array(), kPlain, kNow),
              HasSubstr("2 h ago       URL_DEAD: The video is gone."));
}

}  // namespace
}  // namespace rushes::app::cli
