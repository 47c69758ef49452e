#include "app/open_files.h"

#include <gtest/gtest.h>

#include <sys/resource.h>

namespace rushes::app {
namespace {

TEST(OpenFiles, AreRaisedToTheHardLimit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{256, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  raise_open_file_limit();
  EXPECT_EQ(open_file_limit(), before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(OpenFiles, LeaveRoomBesideTheConnections) {
  EXPECT_EQ(connections_for(1024), 768U);
  EXPECT_EQ(connections_for(256), 128U);
  EXPECT_EQ(connections_for(20'000), 15'000U);
  EXPECT_EQ(connections_for(1'048'576), 100'000U);
  EXPECT_EQ(connections_for(0), 1U);
}

}  // namespace
}  // namespace rushes::app
