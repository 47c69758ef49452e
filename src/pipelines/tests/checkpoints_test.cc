#include "pipelines/checkpoints.h"

#include <gtest/gtest.h>

namespace rushes::pipelines {
namespace {

struct Kept final : Reporter {
  void stage(int, std::string_view) override {}
  void detail(int, std::string_view) override {}
  void title(std::string_view) override {}
  void checkpoint(std::string_view name, std::string data) override { order.checkpoints[std::string(name)] = data; }
  Order order;
};

TEST(Checkpoints, ATranscriptComesBackAsItWas) {
  Findings made;
  made.transcription_engine = "pocketsphinx 5";
  made.transcript.language = "en";
  made.transcript.timed = true;
  made.transcript.segments = {{0, 1.25, "Hello \"world\"."}, {2, 3.5, "Grüße"}};
  made.transcript.words = {{0, 0.5, "hello", 0.75}};
  Kept kept;
  keep_transcript(made, kept);

  Findings restored;
  ASSERT_TRUE(restore_transcript(kept.order, restored));

  EXPECT_EQ(restored.transcription_engine, "pocketsphinx 5");
  EXPECT_EQ(restored.transcript.language, "en");
  EXPECT_TRUE(restored.transcript.timed);
  ASSERT_EQ(restored.transcript.segments.size(), 2U);
  EXPECT_EQ(restored.transcript.segments[0].end, 1.25);
  EXPECT_EQ(restored.transcript.segments[1].text, "Grüße");
  ASSERT_EQ(restored.transcript.words.size(), 1U);
  EXPECT_EQ(restored.transcript.words[0].confidence, 0.75);
}

TEST(Checkpoints, WhatCannotBeReadIsAsNothing) {
  for (const auto* data :
       {"", "{}", "[1]", R"({"engine":"e","language":"en","timed":true,"segments":[[0]],"words":[]})"}) {
    Order order;
    order.checkpoints["transcript"] = data;
    Findings findings;
    EXPECT_FALSE(restore_transcript(order, findings)) << data;
    EXPECT_TRUE(findings.transcript.empty());
    EXPECT_TRUE(findings.transcription_engine.empty());
  }
  Findings findings;
  EXPECT_FALSE(restore_transcript(Order(), findings));
}

}  // namespace
}  // namespace rushes::pipelines
