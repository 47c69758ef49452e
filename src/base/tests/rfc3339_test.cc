#include "base/rfc3339.h"

#include <gtest/gtest.h>

namespace rushes {
namespace {

constexpr std::int64_t kNewYear = 1'767'225'600'000;  // 2026-01-01T00:00:00Z

TEST(Rfc3339, ReadsWhatItsOwnWriterWrites) {
  for (const auto millis : {std::int64_t{0}, kNewYear, kNewYear + 42, std::int64_t{253'402'300'799'999}}) {
    EXPECT_EQ(parse_rfc3339(to_rfc3339(from_millis(millis))), from_millis(millis));
  }
}

TEST(Rfc3339, ReadsOffsetsAndFractions) {
  EXPECT_EQ(parse_rfc3339("2026-01-01T00:00:00Z"), from_millis(kNewYear));
  EXPECT_EQ(parse_rfc3339("2026-01-01t01:30:00+01:30"), from_millis(kNewYear));
  EXPECT_EQ(parse_rfc3339("2025-12-31T19:00:00-05:00"), from_millis(kNewYear));
  EXPECT_EQ(parse_rfc3339("2026-01-01T00:00:00.5z"), from_millis(kNewYear + 500));
  EXPECT_EQ(parse_rfc3339("2026-01-01T00:00:00.0429999999Z"), from_millis(kNewYear + 42));
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), from_millis(1'709'164'800'000));
}

TEST(Rfc3339, RefusesAnythingElse) {
  for (const auto* bad :
       {"", "tomorrow", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Z ", "+026-01-01T00:00:00Z",
        "2026-01-01T00:00:00ZZ", "1767225600"}) {
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace rushes
