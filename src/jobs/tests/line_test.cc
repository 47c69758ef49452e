#include "jobs/line.h"

#include "base/random.h"

#include <gtest/gtest.h>

#include <deque>

namespace rushes::jobs {
namespace {

TEST(Line, IsADeque) {
  SeededRng rng(8);
  Line<int> line;
  std::deque<int> model;
  for (int i = 0; i < 20'000; ++i) {
    const auto at = static_cast<std::ptrdiff_t>(rng.next_u64() % (model.size() + 1));
    // Longer and shorter in turn.
    const bool grows = rng.next_u64() % 100 < (i / 2'000 % 2 == 0 ? 60U : 35U);
    const auto how = rng.next_u64() % 3;
    if (grows && how == 0) {
      line.push_back(i);
      model.push_back(i);
    } else if (grows && how == 1) {
      line.push_front(i);
      model.push_front(i);
    } else if (grows) {
      line.insert(line.begin() + at, i);
      model.insert(model.begin() + at, i);
    } else if (model.empty()) {
      EXPECT_TRUE(line.empty());
    } else if (how == 0) {
      line.pop_back();
      model.pop_back();
    } else if (how == 1) {
      line.pop_front();
      model.pop_front();
    } else if (at < static_cast<std::ptrdiff_t>(model.size())) {
      line.erase(line.begin() + at);
      model.erase(model.begin() + at);
    }
    ASSERT_EQ(line.size(), model.size());
    ASSERT_TRUE(std::equal(line.begin(), line.end(), model.begin(), model.end())) << i;
    if (!model.empty()) {
      ASSERT_EQ(line.front(), model.front());
    }
  }
}

}  // namespace
}  // namespace rushes::jobs
