#include "net/write_pace.h"

#include <gtest/gtest.h>

namespace rushes::net {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

WritePace::Duration wall;
WritePace::Duration worked;

class WritePaceTest : public ::testing::Test {
 protected:
  WritePaceTest() {
    wall = milliseconds(1000);
    worked = milliseconds(10);
    idle(milliseconds(10));
    while (pace_.may_write_now()) {
    }
  }
  static void idle(WritePace::Duration time) { wall += time; }
  static void work(WritePace::Duration time) {
    wall += time;
    worked += time;
  }
  int writes_at_once() {
    int writes = 0;
    while (pace_.may_write_now()) ++writes;
    return writes;
  }
  void round_of(WritePace::Duration time) {
    pace_.begin_round();
    work(time);
    pace_.end_round();
  }

  WritePace pace_{{[] { return wall; }, [] { return worked; }}};
};

TEST_F(WritePaceTest, IdleTimePaysForWrites) {
  idle(milliseconds(1));
  EXPECT_EQ(writes_at_once(), 100);
}

TEST_F(WritePaceTest, ABusyLoopGathers) {
  work(milliseconds(50));
  EXPECT_EQ(writes_at_once(), 0);
  work(milliseconds(9));
  idle(milliseconds(1));
  EXPECT_EQ(writes_at_once(), 100);
}

TEST_F(WritePaceTest, ALongRestDoesNotPayForALongBurst) {
  idle(std::chrono::hours(1));
  EXPECT_EQ(writes_at_once(), 128);
  work(microseconds(500));
  EXPECT_EQ(writes_at_once(), 0);
}

TEST_F(WritePaceTest, AShortRoundIsFollowedByAShortPause) {
  round_of(milliseconds(1));
  EXPECT_EQ(pace_.to_next_round(), milliseconds(4));
  idle(milliseconds(4));
  EXPECT_LE(pace_.to_next_round(), milliseconds(0));
}

TEST_F(WritePaceTest, APauseIsBounded) {
  round_of(milliseconds(10));
  EXPECT_EQ(pace_.to_next_round(), milliseconds(15));
  round_of(milliseconds(100));
  EXPECT_EQ(pace_.to_next_round(), milliseconds(100)) << "where a round takes long, one more of its kind";
}

}  // namespace
}  // namespace rushes::net
