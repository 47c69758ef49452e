#include "base/random.h"
#include "insight/tests/soundness.h"
#include "insight/tests/texts.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace rushes::insight {
namespace {

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

}  // namespace
}  // namespace rushes::insight
