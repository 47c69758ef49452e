#pragma once
#include "base/text.h"
#include "insight/extractive.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace rushes::insight {

inline void expect_sound(const json::value& value) {
  if (value.is_string()) {
    EXPECT_TRUE(is_utf8(value.as_string()));
    EXPECT_LE(value.as_string().size(), 20'000U);
  } else if (value.is_array()) {
    for (const auto& element : value.as_array()) expect_sound(element);
  } else if (value.is_object()) {
    for (const auto& member : value.as_object()) expect_sound(member.value());
  }
}

// Whatever comes in: a clear refusal, or an analysis within the contract's limits in well-formed UTF-8.
inline void expect_survives(Analyst& analyst, const Material& material) {
  const auto result = analyst.analyse(material, {});
  const auto summary = analyst.summarise(material);
  ASSERT_EQ(result.has_value(), summary.has_value());
  if (!result) {
    EXPECT_EQ(result.error().public_name(), "TRANSCRIPT_EMPTY");
    return;
  }
  EXPECT_TRUE(is_utf8(*summary));
  expect_sound(to_json(*result));
  std::set<std::string> distinct;
  for (const auto& title : result->title_rewrite.titles) {
    EXPECT_LE(count_characters(title), kTitleLength) << title;
    EXPECT_TRUE(distinct.insert(title).second) << title;
  }
  EXPECT_EQ(result->title_rewrite.titles.size(), kTitleCount);
  ASSERT_FALSE(result->chapters.chapters.empty());
  EXPECT_EQ(result->chapters.chapters[0].timestamp, "0:00");
  std::set<std::string> starts;
  for (const auto& chapter : result->chapters.chapters) EXPECT_TRUE(starts.insert(chapter.timestamp).second);
}

inline Material saying(std::string text) {
  Material material;
  auto& segment = material.transcript.segments.emplace_back();
  segment.end = 60;
  segment.text = std::move(text);
  return material;
}

}  // namespace rushes::insight
