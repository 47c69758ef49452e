#include "media/scenes.h"

#include "media/testing/sample_files.h"

#include <gtest/gtest.h>

#include <cmath>

namespace rushes::media {
namespace {

using testing::make_with_ffmpeg;

TEST(Scenes, AreCutWhereThePictureChanges) {
  // Four scenes of 3, 4, 5 and 6 s; keyframes stand at the cuts and every 1.6 s.
  const auto file = make_with_ffmpeg(
      {"-f",
       "lavfi",
       "-i",
       "testsrc2=size=320x180:rate=25:duration=3",
       "-f",
       "lavfi",
       "-i",
       "rgbtestsrc=size=320x180:rate=25:duration=4",
       "-f",
       "lavfi",
       "-i",
       "smptebars=size=320x180:rate=25:duration=5",
       "-f",
       "lavfi",
       "-i",
       "color=0x204080:size=320x180:rate=25:duration=6",
       "-filter_complex",
       "[0:v]format=yuv420p,setsar=1[a];[1:v]format=yuv420p,setsar=1[b];[2:v]format=yuv420p,setsar=1[c];"
       "[3:v]format=yuv420p,setsar=1[d];[a][b][c][d]concat=n=4:v=1[v]",
       "-map",
       "[v]",
       "-c:v",
       "libx264",
       "-g",
       "40",
       "-force_key_frames",
       "3,7,12"},
      "mp4");
  double last = 0;
  const auto cuts = scene_cuts(file, [&](double fraction) {
                      EXPECT_GE(fraction, last);
                      last = fraction;
                    }).value();
  EXPECT_DOUBLE_EQ(last, 1);
  ASSERT_EQ(cuts.size(), 3U);
  EXPECT_NEAR(cuts[0], 3, 0.001);
  EXPECT_NEAR(cuts[1], 7, 0.001);
  EXPECT_NEAR(cuts[2], 12, 0.001);
}

TEST(Scenes, OfKeyframesOnlyFiveASecondAreLookedAt) {
  const auto file =
      make_with_ffmpeg({"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3", "-f", "lavfi", "-i",
                        "smptebars=size=320x180:rate=25:duration=3", "-filter_complex",
                        "[0:v]setsar=1[a];[1:v]setsar=1[b];[a][b]concat=n=2:v=1[v]", "-map", "[v]", "-c:v", "mjpeg"},
                       "avi");
  int looked = 0;
  const auto cuts = scene_cuts(file, [&](double) { ++looked; }).value();
  EXPECT_LE(looked, 6 * 5 + 1);
  ASSERT_EQ(cuts.size(), 1U);
  EXPECT_NEAR(cuts[0], 3, 0.2);
}

TEST(Scenes, OneSceneHasNoCut) {
  const auto still = make_with_ffmpeg(
      {"-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=10", "-c:v", "libx264", "-g", "25"}, "mp4");
  EXPECT_TRUE(scene_cuts(still).value().empty());
  const auto sound = make_with_ffmpeg({"-f", "lavfi", "-i", "sine=duration=1"}, "wav");
  EXPECT_EQ(scene_cuts(sound).error().public_name(), "MEDIA_NO_VIDEO");
}

}  // namespace
}  // namespace rushes::media
