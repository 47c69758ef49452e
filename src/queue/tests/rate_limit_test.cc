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

TEST_F(RateLimitTest, WhatIsGivenBackCanBeTakenAgain) {
  EXPECT_FALSE(limit_.take(ann_, 60, now_));
  limit_.give_back(ann_, 20, now_, now_);
  EXPECT_EQ(limit_.take(ann_, 21, now_), seconds(1));
  EXPECT_FALSE(limit_.take(ann_, 20, now_));
  limit_.give_back(UserId("bob"), 20, now_, now_);
  EXPECT_EQ(limit_.take(UserId("bob"), 61, now_), seconds(1)) << "never more than a bucket";
}

TEST_F(RateLimitTest, WhoHoldsTokensHasNoMoreOfThem) {
  EXPECT_FALSE(limit_.take(ann_, 30, now_));
  const auto later = now_ + seconds(30);  // it is full again
  EXPECT_FALSE(limit_.take(ann_, 60, later));
  limit_.give_back(ann_, 30, now_, later);
  EXPECT_EQ(limit_.take(ann_, 1, later), seconds(1));
  const auto next = later + seconds(90);  // in the next book
  EXPECT_FALSE(limit_.take(ann_, 10, next));
  EXPECT_FALSE(limit_.take(ann_, 40, next + seconds(10)));
  limit_.give_back(ann_, 40, next + seconds(10), next + seconds(20));
  EXPECT_FALSE(limit_.take(ann_, 60, next + seconds(20))) << "full, as if they had not been taken";
}

TEST_F(RateLimitTest, AChargeGivesBackWhatIsNotKept) {
  RateLimit limit(60);
  {
    Charge charge(limit, ann_, 50);
    EXPECT_FALSE(charge.wait());
    EXPECT_TRUE(Charge(limit, ann_, 20).wait());
    charge.keep(10);
  }
  EXPECT_FALSE(Charge(limit, ann_, 50).wait());
  EXPECT_TRUE(Charge(limit, ann_, 59).wait());
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
