#include "gateways/silent_ranges.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace rushes::gateways {
namespace {

bool is_end(const jobs::Event& event) { return event.type == jobs::EventType::completed; }

class SilentRangesTest : public ::testing::Test {
 protected:
  /// Ids, those of ends negative.
  bool publish(const std::vector<std::int64_t>& ids) {
    std::vector<jobs::Event> events(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      events[i].id = std::abs(ids[i]);
      events[i].type = ids[i] < 0 ? jobs::EventType::completed : jobs::EventType::queued;
    }
    return ranges_.publish(events, is_end);
  }
  SilentRanges ranges_;
};

TEST_F(SilentRangesTest, WhatTellsNothingIsPassedOver) {
  EXPECT_TRUE(publish({-5}));
  EXPECT_FALSE(publish({6, 7}));
  EXPECT_FALSE(publish({8}));
  EXPECT_TRUE(publish({9, -10, 11}));
  EXPECT_EQ(ranges_.skip(5), 9);
  EXPECT_EQ(ranges_.skip(9), 9) << "10 is to be read";
  EXPECT_EQ(ranges_.skip(10), 11);
  EXPECT_EQ(ranges_.skip(11), 11);
}

TEST_F(SilentRangesTest, NothingIsPassedOverThatWasNotPublished) {
  EXPECT_FALSE(publish({5, 6}));
  EXPECT_EQ(ranges_.skip(3), 3) << "4 may be one that tells something";
  EXPECT_EQ(ranges_.skip(5), 6);
}

TEST_F(SilentRangesTest, AFollowerThatIsBehindReadsUpToTheRange) {
  publish({-1, 2, 3, -4, 5});
  EXPECT_EQ(ranges_.skip(0), 0);
  EXPECT_EQ(ranges_.skip(2), 3);
  EXPECT_EQ(ranges_.skip(4), 5);
}

TEST_F(SilentRangesTest, NumbersMayBeLeftOut) {
  publish({-1});
  publish({7, 9});
  EXPECT_EQ(ranges_.skip(1), 9);
}

TEST_F(SilentRangesTest, OneWhoNeverGoesOnCostsLittle) {
  publish({-1});
  for (std::int64_t id = 2; id < 40'000; id += 2) publish({id, -id - 1});
  // Its first part is passed over, the rest is read.
  std::int64_t at = 1;
  for (std::int64_t id = 2; id < 40'000; id += 2) {
    at = ranges_.skip(at);
    if (at < id) break;
    at = id + 1;
  }
  EXPECT_GT(at, 2'000);
  EXPECT_LT(at, 20'000);
}

}  // namespace
}  // namespace rushes::gateways
