#include "queue/rate_limit.h"

#include <gtest/gtest.h>

namespace rushes::queue {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class RateLimitTest : public ::testing::Test {
 protected:
  RateLimit limit_{60};
  RateLimit::TimePoint now_ = RateLimit::TimePoint(std::chrono::hours(10));
  const UserId ann_{"ann"};
};

TEST_F(RateLimitTest, ABucketEmptiesAndFillsEvenly) {
  for (int i = 0; i < 60; ++i) EXPECT_FALSE(limit_.take(ann_, 1, now_)) << i;
  EXPECT_EQ(limit_.take(ann_, 1, now_), seconds(1));
  EXPECT_EQ(limit_.take(ann_, 1, now_ + milliseconds(600)), milliseconds(400));
  EXPECT_EQ(limit_.refused(), 2U);
  EXPECT_FALSE(limit_.take(ann_, 1, now_ + seconds(1)));
  EXPECT_TRUE(limit_.take(ann_, 1, now_ + seconds(1)));
  EXPECT_FALSE(limit_.take(UserId("bob"), 60, now_)) << "each user has a bucket";
}

TEST_F(RateLimitTest, ManyAreTakenTogetherOrNotAtAll) {
  EXPECT_FALSE(limit_.take(ann_, 50, now_));
  EXPECT_EQ(limit_.take(ann_, 20, now_), seconds(10));
  EXPECT_FALSE(limit_.take(ann_, 10, now_));
  EXPECT_FALSE(limit_.take(ann_, 60, now_ + minutes(1)));
}

TEST_F(RateLimitTest, WhatIsForgottenWasFull) {
  for (int step = 0; step < 600; ++step) {
    // Never more than a bucket in any minute, whenever the books turn.
    EXPECT_FALSE(limit_.take(ann_, 1, now_ + seconds(step))) << step;
  }
  EXPECT_FALSE(limit_.take(ann_, 59, now_ + seconds(599)));
  EXPECT_TRUE(limit_.take(ann_, 1, now_ + seconds(599)));
  EXPECT_TRUE(limit_.take(ann_, 3, now_ + seconds(601)));
  EXPECT_FALSE(limit_.take(ann_, 60, now_ + std::chrono::hours(3)));
}

TEST_F(RateLimitTest, RemembersTheUsersOfTwoMinutes) {
  for (int user = 0; user < 10'000; ++user) {
    EXPECT_FALSE(limit_.take(UserId(std::to_string(user)), 1, now_ + milliseconds(60 * user)));
    EXPECT_LE(limit_.size(), 2'002U);
  }
}

TEST(RateLimit, WithoutOneAllIsAllowed) {
  RateLimit limit(0);
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(limit.take(UserId("ann"), 10'000, RateLimit::TimePoint()));
  EXPECT_EQ(limit.size(), 0U);
}

}  // namespace
}  // namespace rushes::queue
