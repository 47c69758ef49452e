#include "jobs/ranked_set.h"

#include "base/random.h"

#include <gtest/gtest.h>

#include <iterator>
#include <set>
#include <vector>

namespace rushes::jobs {
namespace {

std::vector<int> all_from(const RankedSet<int>& set, std::size_t rank) {
  std::vector<int> values;
  set.each(rank, [&](int value) {
    values.push_back(value);
    return true;
  });
  return values;
}

void expect_same(const RankedSet<int>& set, const std::set<int>& model) {
  ASSERT_EQ(set.size(), model.size());
  EXPECT_EQ(all_from(set, 0), std::vector<int>(model.begin(), model.end()));
  std::size_t rank = 0;
  for (const int value : model) {
    ASSERT_EQ(set.rank(value), rank++);
    ASSERT_EQ(set.rank(value + 1), rank) << value;
  }
}

TEST(RankedSet, IsASortedSetWithRanks) {
  SeededRng rng(5);
  RankedSet<int> set;
  std::set<int> model;
  for (int i = 0; i < 60'000; ++i) {
    // Longer and shorter in turn, to nothing in the end.
    const bool grows = rng.next_u64() % 100 < (i / 10'000 % 2 == 0 ? 80U : 15U);
    const int value = static_cast<int>(rng.next_u64() % 20'000);
    if (grows && model.insert(value).second) {
      set.insert(value);
    } else if (!grows) {
      auto found = model.lower_bound(value);
      set.erase(found == model.end() ? value : *found);
      if (found != model.end()) model.erase(found);
    }
    if (i % 1'000 == 0) expect_same(set, model);
  }
  expect_same(set, model);
}

TEST(RankedSet, VisitsFromARankOn) {
  RankedSet<int> set;
  for (int i = 0; i < 5'000; ++i) set.insert(2 * i);
  for (const std::size_t rank : {0U, 1U, 255U, 256U, 257U, 4'999U}) {
    const auto values = all_from(set, rank);
    ASSERT_EQ(values.size(), 5'000 - rank);
    EXPECT_EQ(values.front(), static_cast<int>(2 * rank));
  }
  EXPECT_TRUE(all_from(set, 5'000).empty());
  EXPECT_TRUE(all_from(set, 7'000).empty());
  int visited = 0;
  set.each(300, [&](int) { return ++visited < 3; });
  EXPECT_EQ(visited, 3);
}

TEST(RankedSet, TakesWhatComesInAnyOrder) {
  constexpr int kMany = 3'000;
  for (const bool rising : {true, false}) {
    RankedSet<int> set;
    std::set<int> model;
    // Between others too: the ends of two lines, as turns are.
    for (int i = 0; i < kMany; ++i) {
      for (const int base : {0, 10 * kMany}) {
        const int value = base + (rising ? i : kMany - i);
        set.insert(value);
        model.insert(value);
      }
    }
    expect_same(set, model);
    for (int i = 0; i < kMany; ++i) {
      set.erase(*model.begin());
      model.erase(model.begin());
    }
    expect_same(set, model);
  }
}

TEST(RankedSet, WhatIsNotThereIsNotErased) {
  RankedSet<int> set;
  set.erase(1);
  EXPECT_EQ(set.rank(1), 0U);
  set.insert(2);
  set.erase(1);
  set.erase(3);
  EXPECT_EQ(all_from(set, 0), std::vector<int>{2});
  set.erase(2);
  EXPECT_EQ(set.size(), 0U);
  set.insert(4);
  EXPECT_EQ(set.rank(5), 1U);
  set.clear();
  EXPECT_EQ(set.size(), 0U);
}

}  // namespace
}  // namespace rushes::jobs
