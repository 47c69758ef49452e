#include "base/random.h"
#include "base/text.h"
#include "insight/extractive.h"
#include "insight/tests/texts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace rushes::insight {
namespace {

void expect_sound(const json::value& value) {
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
void expect_survives(Analyst& analyst, const Material& material) {
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

Material saying(std::string text) {
  Material material;
  material.transcript.segments.push_back({0, 60, std::move(text)});
  return material;
}

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  return all;
}

constexpr std::size_t kHuge = 5'000'000;

class Hostile : public ::testing::TestWithParam<const char*> {};

TEST_P(Hostile, FiveMegabytesOfTheSame) {
  const auto analyst = make_extractive_analyst();
  expect_survives(*analyst, saying(repeated(GetParam(), kHuge)));
}

INSTANTIATE_TEST_SUITE_P(Texts, Hostile,
                         ::testing::Values("a", "word ", "7", "12 345 ", "🎬", "👩‍👩‍👧‍👦 ",
                                           "שלום עולם. ", "مرحبا ", "咖啡豆", "ไทย", ". ", "[", "(", "a. ", "É",
                                           "\xff\xfe", "e\xcc\x81", "A, ", "\n\t", "why ", "how to x, "));

TEST(HostileText, ManyDifferentWords) {
  SeededRng rng(3);
  std::string text;
  std::array<std::uint8_t, 8> bytes{};
  while (text.size() < kHuge) {
    rng.fill(bytes);
    for (const auto byte : bytes) text += static_cast<char>('a' + byte % 26);
    text += bytes[0] < 20 ? ". " : " ";
  }
  const auto analyst = make_extractive_analyst();
  expect_survives(*analyst, saying(text));
}

TEST(HostileText, RandomBytesAndRandomCharacters) {
  SeededRng rng(11);
  const auto analyst = make_extractive_analyst();
  for (int round = 0; round < 150; ++round) {
    std::array<std::uint8_t, 600> bytes{};
    rng.fill(bytes);
    std::string raw(bytes.begin(), bytes.end());
    std::string characters;
    for (std::size_t i = 0; i + 2 < bytes.size(); i += 3) {
      // Few high bits, so that letters of many scripts, blanks and marks all come up.
      const unsigned range = bytes[i + 2] % 4 == 0 ? 0x80U : bytes[i + 2] % 4 == 1 ? 0x700U : 0xd7ffU;
      const auto c = (bytes[i] | static_cast<unsigned>(bytes[i + 1]) << 8U) % range;
      if (bytes[i] % 5 == 0) characters += ' ';
      if (c < 0x80) {
        characters += static_cast<char>(c);
      } else if (c < 0x800) {
        characters += {static_cast<char>(0xc0U | c >> 6U), static_cast<char>(0x80U | (c & 0x3fU))};
      } else {
        characters += {static_cast<char>(0xe0U | c >> 12U), static_cast<char>(0x80U | (c >> 6U & 0x3fU)),
                       static_cast<char>(0x80U | (c & 0x3fU))};
      }
    }
    auto material = saying(round % 2 == 0 ? raw : characters);
    material.title = characters.substr(0, bytes[0]);
    material.description = raw.substr(0, bytes[1]);
    material.tags = {raw.substr(0, 7), characters, ""};
    material.language = raw.substr(3, 4);
    expect_survives(*analyst, material);
    if (round % 3 == 0) {
      material.transcript.segments.clear();
      expect_survives(*analyst, material);
    }
  }
}

TEST(HostileTimes, OverlapRunBackwardsOrAreNoNumbers) {
  const auto analyst = make_extractive_analyst();
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto infinite = std::numeric_limits<double>::infinity();
  for (const double strange : {-5.0, 0.0, nan, infinite, -infinite, 1e300}) {
    auto material = saying("");
    material.transcript = heard({kBread, kCoffee});
    for (std::size_t i = 0; i < material.transcript.segments.size(); i += 3) {
      material.transcript.segments[i].start = strange;
      material.transcript.segments[i].end = i % 2 == 0 ? strange : 3;
      material.transcript.words[i].confidence = strange;
    }
    material.duration = strange;
    material.scene_cuts = {strange, 20, 3, strange};
    expect_survives(*analyst, material);
    material.source_chapters = {{strange, "A"}, {10, "B"}, {10.4, "C"}, {strange, ""}};
    expect_survives(*analyst, material);
  }
}

TEST(HostileTimes, AllTheSame) {
  const auto analyst = make_extractive_analyst();
  auto material = saying("");
  material.transcript = captioned({kBread, kTelescope, kCoffee});
  for (auto& segment : material.transcript.segments) segment.start = segment.end = 0;
  expect_survives(*analyst, material);
}

TEST(HostileText, AHundredThousandCaptions) {
  const auto analyst = make_extractive_analyst();
  Material material;
  for (int i = 0; i < 100'000; ++i) {
    material.transcript.segments.push_back({i * 1.0, i + 0.5, i % 2 == 0 ? "coffee beans" : "dark roast"});
  }
  expect_survives(*analyst, material);
}

}  // namespace
}  // namespace rushes::insight
