#include "media/thumbnails.h"

#include "media/probe.h"
#include "media/testing/sample_files.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace rushes::media {
namespace {

using testing::make_with_ffmpeg;
using testing::TemporaryFolder;

struct Rgb {
  int red = 0;
  int green = 0;
  int blue = 0;
};

/// The colour in the middle of the picture's part at (x, y), each 0..1. Read back by another program.
Rgb colour_at(const std::filesystem::path& picture, double x, double y) {
  const auto crop = "crop=8:8:(iw-8)*" + std::to_string(x) + ":(ih-8)*" + std::to_string(y) + ",scale=1:1:flags=area";
  const TemporaryFolder folder;
  const auto raw = folder.path() / "pixel.rgb";
  testing::run_ffmpeg({"-i", picture.string(), "-vf", crop, "-pix_fmt", "rgb24", "-f", "rawvideo", raw.string()});
  std::ifstream file(raw, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(bytes.size(), 3U);
  const auto byte = [&](std::size_t i) { return static_cast<int>(static_cast<unsigned char>(bytes.at(i))); };
  return {byte(0), byte(1), byte(2)};
}

/// A video whose red grows with time: 20 at the start, 220 at the end; the lower half is blue.
std::filesystem::path clock_video(double seconds, int keyframe_every, const std::vector<std::string>& more = {},
                                  const std::string& suffix = "mp4") {
  const auto length = std::to_string(seconds);
  std::vector<std::string> arguments{"-f",
                                     "lavfi",
                                     "-i",
                                     "color=black:size=320x180:rate=10:duration=" + length +
                                         ",format=rgb24,geq=r='if(lt(Y,90),20+200*T/" + length +
                                         ",0)':g=0:b='if(lt(Y,90),0,200)'",
                                     "-pix_fmt",
                                     "yuv420p",
                                     "-c:v",
                                     "libx264",
                                     "-preset",
                                     "ultrafast",
                                     "-crf",
                                     "12",
                                     "-g",
                                     std::to_string(keyframe_every),
                                     "-keyint_min",
                                     "1",
                                     "-sc_threshold",
                                     "0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return make_with_ffmpeg(arguments, suffix);
}

double time_of(const Rgb& colour, double seconds) { return (colour.red - 20) / 200.0 * seconds; }

TEST(Thumbnails, AreRealFramesSpreadOverTheVideo) {
  TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  options.max_width = 160;
  for (const std::string suffix : {"mp4", "mkv", "ts", "avi"}) {
    const auto thumbnails = make_thumbnails(clock_video(60, 20, {}, suffix), options).value();
    ASSERT_EQ(thumbnails.size(), 10U) << suffix;
    for (std::size_t i = 0; i < thumbnails.size(); ++i) {
      const auto& [path, time, width, height] = thumbnails[i];
      EXPECT_NEAR(time, 60.0 * (static_cast<double>(i) + 0.5) / 10, 2.1) << suffix << i;
      EXPECT_NEAR(std::remainder(time, 2), 0, 0.001) << suffix << i;  // keyframes stand every 2 s
      if (i % 4 == 1) {
        EXPECT_NEAR(time_of(colour_at(path, 0.5, 0.2), 60), time, 3) << suffix << i;
      }
      EXPECT_EQ(width, 160);
      EXPECT_EQ(height, 90);
      EXPECT_EQ(path.parent_path(), folder.path());
    }
    for (const auto& thumbnail : thumbnails) std::filesystem::remove(thumbnail.path);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
}

TEST(Thumbnails, ComeFromBetweenKeyframesWhereThoseAreRare) {
  TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  options.prefix = "rare";
  int calls = 0;
  double last = 0;
  const auto thumbnails = make_thumbnails(clock_video(8, 1000), options, [&](double fraction) {
                            EXPECT_GE(fraction, last);
                            last = fraction;
                            ++calls;
                          }).value();
  ASSERT_EQ(thumbnails.size(), 10U);
  for (std::size_t i = 1; i < thumbnails.size(); ++i) {
    EXPECT_NEAR(thumbnails[i].time, 8 * (static_cast<double>(i) + 0.5) / 10, 0.11);
    if (i % 4 == 1) {
      EXPECT_NEAR(time_of(colour_at(thumbnails[i].path, 0.5, 0.2), 8), thumbnails[i].time, 0.5);
    }
  }
  EXPECT_EQ(thumbnails[0].width, 320);  // not enlarged
  EXPECT_GT(calls, 0);
  EXPECT_DOUBLE_EQ(last, 1);
}

TEST(Thumbnails, AreFewerThanTheFramesAtMost) {
  TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  const auto thumbnails = make_thumbnails(clock_video(0.3, 1), options).value();
  EXPECT_EQ(thumbnails.size(), 3U);
}

TEST(Thumbnails, AvoidBlackFrames) {
  // Black but for 1 s in every 4; keyframes each second.
  const auto file = make_with_ffmpeg(
      {"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10:duration=40,drawbox=t=fill:c=black:enable='lt(mod(t,4),3)'",
       "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-keyint_min", "10"},
      "mp4");
  TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  const auto thumbnails = make_thumbnails(file, options).value();
  EXPECT_EQ(thumbnails.size(), 10U);
  int bright = 0;
  for (const auto& thumbnail : thumbnails) bright += std::fmod(thumbnail.time, 4) >= 3 ? 1 : 0;
  EXPECT_GE(bright, 9);
}

TEST(Thumbnails, ABlackVideoStillHasSome) {
  const auto file = make_with_ffmpeg({"-f", "lavfi", "-i", "color=black:size=320x180:rate=10:duration=5"}, "mp4");
  TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  options.count = 3;
  EXPECT_EQ(make_thumbnails(file, options).value().size(), 3U);
}

TEST(Thumbnails, StandUprightWithSquarePixels) {
  TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  options.count = 1;
  const auto stored = clock_video(4, 10);
  for (const int degrees : {90, 180, 270}) {
    const auto turned = make_with_ffmpeg(
        {"-i", stored.string(), "-c", "copy", "-metadata:s:v:0", "rotate=" + std::to_string(degrees)}, "mp4");
    const auto shown = make_thumbnails(turned, options).value().at(0);
    EXPECT_EQ(shown.width, degrees == 180 ? 320 : 180);
    EXPECT_EQ(shown.height, degrees == 180 ? 180 : 320);
    // Blue was below. Another program tells where it is to be now.
    const auto truth = make_with_ffmpeg({"-i", turned.string(), "-frames:v", "1"}, "png");
    for (const auto& [x, y] : {std::pair(0.5, 0.1), std::pair(0.5, 0.9), std::pair(0.1, 0.5), std::pair(0.9, 0.5)}) {
      EXPECT_NEAR(colour_at(shown.path, x, y).blue, colour_at(truth, x, y).blue, 40) << degrees << x << y;
    }
    std::filesystem::remove(shown.path);
  }
  const auto wide = make_thumbnails(clock_video(4, 10, {"-vf", "setsar=2"}), options).value().at(0);
  EXPECT_EQ(wide.width, 640);
  EXPECT_EQ(wide.height, 180);
}

TEST(Thumbnails, OfTallPicturesAreNotTall) {
  TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  options.max_width = 64;
  const auto tall =
      make_with_ffmpeg({"-f", "lavfi", "-i", "testsrc2=size=32x8000:rate=5:duration=1", "-c:v", "mpeg4"}, "mkv");
  for (const auto& thumbnail : make_thumbnails(tall, options).value()) EXPECT_EQ(thumbnail.height, 256);
}

TEST(Thumbnails, KeepColours) {
  TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  options.count = 1;
  const auto hd =
      make_with_ffmpeg({"-f", "lavfi", "-i", "color=0xC04020:size=1280x720:duration=1,drawbox=w=640:t=fill:c=0x20A060",
                        "-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709", "-pix_fmt", "yuv420p"},
                       "mp4");
  for (const auto format : {ImageFormat::jpeg, ImageFormat::webp}) {
    options.format = format;
    const auto thumbnail = make_thumbnails(hd, options).value().at(0);
    EXPECT_EQ(thumbnail.path.extension(), format == ImageFormat::jpeg ? ".jpg" : ".webp");
    const auto left = colour_at(thumbnail.path, 0.2, 0.5);
    const auto right = colour_at(thumbnail.path, 0.8, 0.5);
    EXPECT_NEAR(right.red, 0xC0, 8);
    EXPECT_NEAR(right.green, 0x40, 8);
    EXPECT_NEAR(left.green, 0xA0, 8);
    EXPECT_NEAR(left.blue, 0x60, 8);
  }
}

TEST(Thumbnails, RefuseOptionsOutOfRange) {
  const auto file = clock_video(4, 10);
  ThumbnailOptions options;
  options.folder = "/tmp";
  options.count = 0;
  EXPECT_EQ(make_thumbnails(file, options).error().code(), Errc::invalid_argument);
  options.count = 10;
  options.prefix = "../x";
  EXPECT_EQ(make_thumbnails(file, options).error().code(), Errc::invalid_argument);
  options.prefix = "x";
  options.folder = "/nonexistent";
  EXPECT_FALSE(make_thumbnails(file, options));
}

}  // namespace
}  // namespace rushes::media
