#include "jobs/retry_policy.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rushes::jobs {
namespace {

TEST(RetryPolicy, WhatCannotPassIsNotTriedAgain) {
  const Failure dead{"URL_DEAD", "The video is gone.", false, {}};
  EXPECT_EQ(class_of(dead), ErrorClass::permanent);
  EXPECT_EQ(attempts_allowed(ErrorClass::permanent, 3), 1);
}

TEST(RetryPolicy, TheNetworkIsGivenMoreTimeThanACrash) {
  const Failure away{"SOURCE_UNAVAILABLE", "The site is away.", true, {}};
  const Failure crashed{"WORKER_CRASHED", "The worker died.", true, {}};
  const Failure unknown{"SOMETHING", "Something.", true, {}};
  EXPECT_EQ(attempts_allowed(class_of(away), 3), 5);
  EXPECT_EQ(attempts_allowed(class_of(crashed), 3), 3);
  EXPECT_EQ(attempts_allowed(class_of(unknown), 3), 3);
  EXPECT_NE(class_of(crashed), class_of(unknown));
}

TEST(RetryPolicy, DelaysDoubleUpToFiveMinutesLessAtMostHalf) {
  SeededRng rng(3);
  for (const auto error : {ErrorClass::other, ErrorClass::network}) {
    std::int64_t full = error == ErrorClass::network ? 5'000 : 2'000;
    for (int attempt = 1; attempt <= 40; ++attempt) {
      for (int i = 0; i < 20; ++i) {
        const auto delay = retry_delay(error, attempt, rng).count();
        EXPECT_GT(delay, full / 2 - 1) << attempt;
        EXPECT_LE(delay, full) << attempt;
      }
      full = std::min<std::int64_t>(full * 2, 300'000);
    }
  }
}

TEST(RetryPolicy, ALossOfTheServerCostsNoTimeOnce) {
  EXPECT_EQ(pause_after_loss(0).count(), 0);
  EXPECT_EQ(pause_after_loss(1).count(), 2'000);
  EXPECT_EQ(pause_after_loss(3).count(), 8'000);
  EXPECT_EQ(pause_after_loss(1'000).count(), 300'000);
}

}  // namespace
}  // namespace rushes::jobs
