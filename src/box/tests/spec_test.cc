#include "box/spec.h"

#include "box/channel.h"
#include "box/host.h"

#include <gtest/gtest.h>

namespace rushes::box {
namespace {

TEST(BoxSpec, ComesThroughWhole) {
  BoxSpec spec;
  spec.profile = Profile::fetch;
  spec.walls = {false, true, false, true, false, 2, true};
  spec.limits = {1, 2, 3, 4, 5, 6};
  spec.readable = {"/opt/a b", "/opt/\"c\""};
  spec.door_port = 8'080;
  spec.scratch_is_mount = true;
  const auto read = decode_box_spec(encode(spec)).value();
  EXPECT_EQ(read.profile, spec.profile);
  EXPECT_EQ(read.walls, spec.walls);
  EXPECT_EQ(read.limits.memory_bytes, 1U);
  EXPECT_EQ(read.limits.cpu_seconds, 2U);
  EXPECT_EQ(read.limits.processes, 3U);
  EXPECT_EQ(read.limits.file_bytes, 4U);
  EXPECT_EQ(read.limits.open_files, 5U);
  EXPECT_EQ(read.limits.scratch_bytes, 6U);
  EXPECT_EQ(read.readable, spec.readable);
  EXPECT_EQ(read.door_port, 8'080);
  EXPECT_TRUE(read.scratch_is_mount);
  for (const auto* text : {"", "[]", "null"}) EXPECT_FALSE(decode_box_spec(text)) << text;
}

TEST(BoxHost, AReportComesThroughWhole) {
  HostReport report;
  report.walls.network = false;
  report.walls.landlock = 3;
  report.keep_privileges = true;
  report.missing = {{"network namespace", "EPERM \"no\"", "allow it"}};
  const auto read = decode_host_report(encode(report)).value();
  EXPECT_EQ(read.walls, report.walls);
  EXPECT_TRUE(read.keep_privileges);
  ASSERT_EQ(read.missing.size(), 1U);
  EXPECT_EQ(read.missing[0].part, report.missing[0].part);
  EXPECT_EQ(read.missing[0].why, report.missing[0].why);
  EXPECT_EQ(read.missing[0].remedy, report.missing[0].remedy);
  EXPECT_FALSE(read.complete());
  EXPECT_FALSE(decode_host_report("{}"));
}

TEST(BoxChannel, LengthsGoBothWaysAndAreBounded) {
  for (const std::size_t length : {std::size_t{0}, std::size_t{255}, std::size_t{65536}, kMaxMessageBytes}) {
    EXPECT_EQ(decode_length(encode_length(length)).value(), length);
  }
  EXPECT_FALSE(decode_length("\xff\xff\xff\xff"));
}

}  // namespace
}  // namespace rushes::box
