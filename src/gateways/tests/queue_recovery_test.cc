#include "gateways/queue_recovery.h"

#include <gtest/gtest.h>

namespace rushes::gateways {
namespace {

using jobs::EventType;

jobs::Event event(std::int64_t seq, const char* job, EventType type) {
  jobs::Event made;
  made.seq = seq;
  made.job = JobId(job);
  made.type = type;
  return made;
}

TEST(WithoutOvertaken, KeepsMilestonesAndTheNewestProgressOfEachJob) {
  const auto kept = without_overtaken({event(1, "a", EventType::queued), event(2, "b", EventType::started),
                                       event(3, "b", EventType::progress), event(4, "a", EventType::started),
                                       event(5, "a", EventType::progress), event(6, "b", EventType::progress),
                                       event(7, "a", EventType::progress), event(8, "a", EventType::completed)});
  std::vector<std::int64_t> numbers;
  for (const auto& one : kept) numbers.push_back(one.seq);
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{1, 2, 4, 6, 8}));
}

TEST(WithoutOvertaken, NothingStaysNothing) { EXPECT_TRUE(without_overtaken({}).empty()); }

}  // namespace
}  // namespace rushes::gateways
