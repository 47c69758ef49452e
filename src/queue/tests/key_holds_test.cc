#include "queue/key_holds.h"

#include <gtest/gtest.h>

namespace rushes::queue {
namespace {

TEST(KeyHolds, AKeyIsHeldByOneRequestOfItsUserUntilThatEnds) {
  const UserId ann("ann");
  const UserId bob("bob");
  KeyHolds holds;
  {
    auto first = holds.take(ann, "k");
    ASSERT_TRUE(first);
    EXPECT_FALSE(holds.take(ann, "k"));
    EXPECT_TRUE(holds.take(ann, "l"));
    EXPECT_TRUE(holds.take(bob, "k"));
    const auto moved = std::move(*first);
    EXPECT_FALSE(holds.take(ann, "k"));
  }
  EXPECT_TRUE(holds.take(ann, "k"));
}

TEST(KeyHolds, WithoutAKeyThereIsNothingToHold) {
  const UserId ann("ann");
  KeyHolds holds;
  const auto first = holds.take(ann, "");
  EXPECT_TRUE(first);
  EXPECT_TRUE(holds.take(ann, ""));
}

}  // namespace
}  // namespace rushes::queue
