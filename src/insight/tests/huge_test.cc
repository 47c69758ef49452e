#include "base/random.h"
#include "insight/tests/soundness.h"

#include <gtest/gtest.h>

#include <array>

namespace rushes::insight {
namespace {

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  return all;
}

constexpr std::size_t kHuge = 5'000'000;

class HugeTexts : public ::testing::TestWithParam<const char*> {};

TEST_P(HugeTexts, FiveMegabytesOfTheSame) {
  const auto analyst = make_extractive_analyst();
  expect_survives(*analyst, saying(repeated(GetParam(), kHuge)));
}

INSTANTIATE_TEST_SUITE_P(Insight, HugeTexts,
                         ::testing::Values("a", "word ", "7", "12 345 ", "🎬", "👩‍👩‍👧‍👦 ",
                                           "שלום עולם. ", "مرحبا ", "咖啡豆", "ไทย", ". ", "[", "(", "a. ", "É",
                                           "\xff\xfe", "e\xcc\x81", "A, ", "\n\t", "why ", "how to x, "));

TEST(HugeText, ManyDifferentWords) {
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

TEST(HugeText, AHundredThousandCaptions) {
  const auto analyst = make_extractive_analyst();
  Material material;
  for (int i = 0; i < 100'000; ++i) {
    material.transcript.segments.push_back({i * 1.0, i + 0.5, i % 2 == 0 ? "coffee beans" : "dark roast"});
  }
  expect_survives(*analyst, material);
}

}  // namespace
}  // namespace rushes::insight
