#include "net/body_budget.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace rushes::net {
namespace {

using Lease = BodyBudget::Lease;
using Verdict = BodyBudget::Verdict;
constexpr std::size_t kMiB = 1UL << 20U;

TEST(BodyBudget, CountsWhatIsHeldAndGivesItBack) {
  BodyBudget budget(16 * kMiB);
  {
    Lease lease(budget);
    EXPECT_EQ(lease.resize(kMiB, "a"), Verdict::granted);
    EXPECT_EQ(lease.resize(2 * kMiB, "a"), Verdict::granted);
    EXPECT_EQ(budget.used(), 2 * kMiB);
    EXPECT_EQ(lease.resize(kMiB, "a"), Verdict::granted);
    EXPECT_EQ(budget.used(), kMiB);
  }
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_EQ(budget.refused(), 0U);
}

TEST(BodyBudget, GivesOneOwnerAQuarterButForOneBody) {
  BodyBudget budget(16 * kMiB);
  Lease large(budget);
  EXPECT_EQ(large.resize(10 * kMiB, "a"), Verdict::granted) << "one body may be larger than a quarter";
  Lease second(budget);
  EXPECT_EQ(second.resize(kMiB, "a"), Verdict::share_used);
  EXPECT_EQ(second.resize(kMiB, "b"), Verdict::granted);
  large.release();
  std::vector<std::unique_ptr<Lease>> many;
  for (int i = 0; i < 4; ++i) {
    many.push_back(std::make_unique<Lease>(budget));
    EXPECT_EQ(many.back()->resize(kMiB, "a"), Verdict::granted);
  }
  Lease fifth(budget);
  EXPECT_EQ(fifth.resize(kMiB, "a"), Verdict::share_used);
  EXPECT_EQ(many.back()->resize(2 * kMiB, "a"), Verdict::share_used) << "and none of them grows";
  EXPECT_EQ(budget.used(), 5 * kMiB);
}

TEST(BodyBudget, RefusesWhatDoesNotFitAndChangesNothing) {
  BodyBudget budget(16 * kMiB);
  Lease a(budget), b(budget), c(budget);
  EXPECT_EQ(a.resize(9 * kMiB, "a"), Verdict::granted);
  EXPECT_EQ(b.resize(6 * kMiB, "b"), Verdict::granted);
  EXPECT_EQ(c.resize(2 * kMiB, "c"), Verdict::full);
  EXPECT_EQ(b.resize(8 * kMiB, "b"), Verdict::full);
  EXPECT_EQ(budget.used(), 15 * kMiB);
  EXPECT_EQ(budget.refused(), 2U);
  EXPECT_EQ(c.resize(17 * kMiB, "c"), Verdict::too_large);
  b.release();
  EXPECT_EQ(c.resize(2 * kMiB, "c"), Verdict::granted);
}

TEST(BodyBudget, SmallBodiesAreFree) {
  BodyBudget budget(kMiB);
  Lease full(budget);
  EXPECT_EQ(full.resize(kMiB, "a"), Verdict::granted);
  Lease small(budget);
  EXPECT_EQ(small.resize(BodyBudget::kFree, "b"), Verdict::granted);
  EXPECT_EQ(small.resize(BodyBudget::kFree + 1, "b"), Verdict::full);
  EXPECT_EQ(budget.used(), kMiB);
}

}  // namespace
}  // namespace rushes::net
