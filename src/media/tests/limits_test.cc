#include "media/limits.h"

#include "base/file.h"
#include "media/audio.h"
#include "media/probe.h"
#include "media/scenes.h"
#include "media/testing/child.h"
#include "media/testing/huge_png.h"
#include "media/testing/sample_files.h"
#include "media/thumbnails.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>

#include <string>
#include <vector>

namespace rushes::media {
namespace {

using ::testing::HasSubstr;
using testing::in_child;
using testing::make_file;
using testing::make_with_ffmpeg;
using Path = std::filesystem::path;
using Words = std::vector<std::string>;

constexpr std::uint64_t kMiB = 1 << 20;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kSanitizer = 200 * kMiB;  // what is freed is kept for a while
#else
constexpr std::uint64_t kSanitizer = 0;
#endif
constexpr std::uint64_t kSmall = 300 * kMiB + kSanitizer;  // a tenth of what the bombs took without limits

template <class T>
std::string name_of(const Result<T>& result) {
  return result ? "ok" : std::string(result.error().public_name());
}

Result<double> listen(const Path& path) {
  auto reader = AudioReader::open(path);
  if (!reader) return reader.error();
  std::vector<std::int16_t> samples(1 << 16);
  for (;;) {
    const auto count = (*reader)->read(samples);
    if (!count) return count.error();
    if (*count == 0) return (*reader)->position();
  }
}

Result<std::size_t> count_thumbnails(const Path& path) {
  const testing::TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  const auto made = make_thumbnails(path, options);
  if (!made) return made.error();
  return made->size();
}

/// What each function says of the file, in a process of its own.
testing::ChildReport all_say(const Path& path, const Limits& limits = {}) {
  return in_child([&] {
    set_limits(limits);
    return name_of(probe(path)) + ' ' + name_of(listen(path)) + ' ' + name_of(scene_cuts(path)) + ' ' +
           name_of(count_thumbnails(path));
  });
}

std::string thrice(const std::string& name) { return name + ' ' + name + ' ' + name; }
std::string always(const std::string& name) { return thrice(name) + ' ' + name; }

const Path& huge_picture() {
  static const auto path = make_file(testing::huge_png(14'000, 14'000), "png");
  return path;
}

/// A PNG for ffmpeg to copy; the container's header calls it `size`, whatever it is.
Words bomb_input(const std::string& size = "14000x14000") {
  return {"-f", "image2", "-video_size", size, "-pixel_format", "rgba64be", "-i", huge_picture().string()};
}

Path bomb(const Words& more, const std::string& suffix, const std::string& size = "14000x14000") {
  auto arguments = bomb_input(size);
  arguments.insert(arguments.end(), more.begin(), more.end());
  return make_with_ffmpeg(arguments, suffix);
}

/// `count` streams of a kind, each a copy of the one in `file`.
Path many(const Path& file, int count, const std::string& suffix) {
  Words arguments{"-i", file.string(), "-c", "copy"};
  for (int i = 0; i < count; ++i) arguments.insert(arguments.end(), {"-map", "0:0"});
  return make_with_ffmpeg(arguments, suffix);
}

Path tone(const std::string& seconds, const std::string& suffix, const Words& more = {}) {
  Words arguments{"-f", "lavfi", "-i", "sine=sample_rate=16000:duration=" + seconds};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return make_with_ffmpeg(arguments, suffix);
}

/// An element of a Matroska file.
std::string element(const std::string& id, const std::string& content) {
  std::string size("\x01", 1);
  for (int shift = 48; shift >= 0; shift -= 8)
    size += static_cast<char>(content.size() >> static_cast<unsigned>(shift));
  return id + size + content;
}

/// A Matroska file that announces tracks of sound, and has none.
Path announced(int tracks) {
  std::string entries;
  for (int i = 1; i <= tracks; ++i) {
    const std::string number{static_cast<char>(i >> 8), static_cast<char>(i)};
    entries += element("\xAE", element("\xD7", number) + element("\x73\xC5", number) + element("\x83", "\x02") +
                                   element("\x86", "A_MPEG/L3"));
  }
  return make_file(
      element("\x1A\x45\xDF\xA3", element("\x42\x82", "matroska")) +
          element("\x18\x53\x80\x67", element("\x16\x54\xAE\x6B", entries) + element("\x1F\x43\xB6\x75", "")),
      "mkv");
}

/// The file with `from` replaced, once, by `to`, which is as long.
Path patched(const Path& path, const std::string& from, const std::string& to, const std::string& suffix) {
  auto content = read_file(path).value();
  const auto at = content.find(from);
  EXPECT_NE(at, std::string::npos);
  return make_file(content.replace(at, from.size(), to), suffix);
}

TEST(Limits, APictureTooLargeIsRefusedByItsHeader) {
  const auto again = bomb_input();
  auto three = again;
  three.insert(three.end(), again.begin(), again.end());
  three.insert(three.end(), {"-map", "0", "-map", "1", "-map", "2", "-c", "copy"});
  for (const auto& file : {bomb({"-c", "copy"}, "mov"), bomb({three}, "mkv"), bomb({"-c", "copy"}, "avi")}) {
    const auto report = all_say(file);
    EXPECT_EQ(report.said, always("MEDIA_TOO_MANY_PIXELS")) << file;
    EXPECT_LT(report.peak_bytes, kSmall) << file;
  }
  const auto error = probe(bomb({"-c", "copy"}, "mov")).error();
  EXPECT_EQ(error.code(), Errc::too_large);
  EXPECT_FALSE(error.retryable());
  EXPECT_THAT(std::string(error.public_message()), HasSubstr("14000 x 14000 = 196 million pixels; at most 40 million"));
}

TEST(Limits, AHeaderThatLiesDoesNotHelp) {
  const auto report = all_say(bomb({"-c", "copy"}, "mkv", "64x64"));
  EXPECT_EQ(report.said, always("MEDIA_TOO_MANY_PIXELS"));
  EXPECT_LT(report.peak_bytes, kSmall);
}

TEST(Limits, PicturesTooLargeForTheDecoderAreNoDamagedFile) {
  // The decoder of VP8 needs no picture to know its format, so only decoding shows the true size.
  const auto honest = make_with_ffmpeg(
      {"-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=5:duration=2", "-c:v", "libvpx", "-deadline", "realtime"},
      "mkv");
  const auto lying = patched(patched(honest, "\xB0\x82\x05", "\xB0\x82\x01", "mkv"), "\xBA\x82\x02\xD0",
                             std::string("\xBA\x82\0\xD0", 4), "mkv");
  EXPECT_EQ(probe(lying).value().width, 256);
  Limits limits;
  limits.pixels_per_picture = 300'000;
  EXPECT_EQ(all_say(lying, limits).said, "ok MEDIA_NO_AUDIO MEDIA_TOO_MANY_PIXELS MEDIA_TOO_MANY_PIXELS");
}

TEST(Limits, StreamsThatShowUpLateAreBoundToo) {
  Limits limits;
  limits.pixels_per_picture = 300'000;
  for (const std::string suffix : {"ts", "mpg", "flv"}) {
    const auto video =
        make_with_ffmpeg({"-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=2", "-g", "10"}, suffix);
    EXPECT_EQ(all_say(video, limits).said, always("MEDIA_TOO_MANY_PIXELS")) << suffix;
  }
}

TEST(Limits, ACoverTooLargeIsLeftAside) {
  for (const std::string suffix : {"mp3", "flac"}) {
    const auto song = bomb({"-f", "lavfi", "-i", "sine=duration=3", "-map", "1:a", "-map", "0:v", "-c:v", "copy",
                            "-disposition:v:0", "attached_pic"},
                           suffix);
    const auto report = all_say(song);
    EXPECT_EQ(report.said, "ok ok MEDIA_NO_VIDEO MEDIA_NO_VIDEO") << suffix;
    EXPECT_LT(report.peak_bytes, kSmall) << suffix;
    EXPECT_NEAR(listen(song).value(), 3, 0.1);
  }
}

TEST(Limits, CoversAreNeverDecoded) {
  // 40 covers of a size that is allowed.
  const auto cover = make_file(testing::huge_png(5000, 5000), "png").string();
  Words arguments{"-f",
                  "lavfi",
                  "-i",
                  "sine=duration=1",
                  "-f",
                  "image2",
                  "-video_size",
                  "5000x5000",
                  "-pixel_format",
                  "rgba64be",
                  "-i",
                  cover,
                  "-c:v",
                  "copy",
                  "-map",
                  "0:a"};
  for (int i = 0; i < 40; ++i) {
    arguments.insert(arguments.end(), {"-map", "1:v", "-disposition:v:" + std::to_string(i), "attached_pic"});
  }
  const auto report = all_say(make_with_ffmpeg(arguments, "m4a"));
  EXPECT_EQ(report.said, "ok ok MEDIA_NO_VIDEO MEDIA_NO_VIDEO");
  EXPECT_LT(report.peak_bytes, kSmall);
}

TEST(Limits, OnlyTheShownVideoIsDecoded) {
  // 8 streams of a size that is allowed.
  const auto picture = make_file(testing::huge_png(5000, 5000), "png").string();
  Words arguments{"-f", "image2", "-video_size", "5000x5000", "-pixel_format", "rgba64be", "-i", picture, "-c", "copy"};
  for (int i = 0; i < 8; ++i) arguments.insert(arguments.end(), {"-map", "0"});
  const auto report = in_child([&] { return name_of(probe(make_with_ffmpeg(arguments, "mkv"))); });
  EXPECT_EQ(report.said, "ok");
  EXPECT_LT(report.peak_bytes, 400 * kMiB + kSanitizer);  // one picture has 200 MB
}

TEST(Limits, StreamsAreCounted) {
  const auto sound = tone("0.2", "mp3");
  const auto picture =
      make_with_ffmpeg({"-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10:duration=0.5", "-c:v", "mpeg4"}, "mkv");
  for (const std::string suffix : {"mkv", "ts"}) {
    EXPECT_TRUE(probe(many(sound, 64, suffix))) << suffix;
    const auto error = probe(many(sound, 65, suffix)).error();
    EXPECT_EQ(error.public_name(), "MEDIA_TOO_MANY_STREAMS") << suffix;
    EXPECT_THAT(std::string(error.public_message()), HasSubstr("65 streams; at most 64")) << suffix;
  }
  EXPECT_TRUE(probe(many(picture, 8, "mkv")));
  const auto videos = probe(many(picture, 9, "mkv")).error();
  EXPECT_THAT(std::string(videos.public_message()), HasSubstr("9 video streams; at most 8"));
  EXPECT_FALSE(videos.retryable());
  for (const int tracks : {1000, 1001}) {  // libav itself refuses more than 1,000
    EXPECT_EQ(all_say(announced(tracks)).said, always("MEDIA_TOO_MANY_STREAMS")) << tracks;
  }
}

TEST(Limits, AttachedFontsAreNoStreams) {
  Words arguments{"-i", tone("0.2", "mp3").string(), "-c", "copy"};
  for (int i = 0; i < 70; ++i) arguments.insert(arguments.end(), {"-attach", make_file("no font", "ttf").string()});
  arguments.insert(arguments.end(), {"-metadata:s:t", "mimetype=application/x-truetype-font"});
  EXPECT_TRUE(probe(make_with_ffmpeg(arguments, "mkv")));
}

TEST(Limits, ARecordingTooLongIsRefusedByWhatItSays) {
  // 13 hours in a file that takes no room.
  const auto samples = std::uint64_t{13} * 3600 * 8000;
  testing::TemporaryFolder folder;
  const auto path = folder.path() / "long.wav";
  testing::run_ffmpeg({"-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "1", "-c:a", "pcm_u8", path.string()});
  auto content = read_file(path).value();
  const auto at = content.find("data") + 4;
  for (unsigned i = 0; i < 4; ++i) content[at + i] = static_cast<char>(samples >> (8 * i));
  ASSERT_TRUE(write_file_atomically(path, content));
  std::filesystem::resize_file(path, at + 4 + samples);
  EXPECT_EQ(all_say(path).said, always("MEDIA_TOO_LONG"));
  EXPECT_THAT(std::string(probe(path).error().public_message()), HasSubstr("13:00:00; at most 12:00:00"));
  EXPECT_FALSE(probe(path).error().retryable());
}

TEST(Limits, ARecordingTooLongIsRefusedByWhatItHolds) {
  const auto honest = tone("100", "mkv", {"-c:a", "libopus", "-b:a", "6k"});
  auto content = read_file(honest).value();
  const auto at = content.find("\x44\x89\x88");  // Duration, a double in milliseconds
  ASSERT_NE(at, std::string::npos);
  content.replace(at + 3, 8, std::string("\x40\xB3\x88\0\0\0\0\0", 8));  // 5000
  const auto lying = make_file(content, "mkv");
  EXPECT_NEAR(probe(lying).value().duration, 5, 0.1);
  Limits limits;
  limits.duration = 60;
  EXPECT_EQ(all_say(lying, limits).said, "ok MEDIA_TOO_LONG MEDIA_NO_VIDEO MEDIA_NO_VIDEO");
  EXPECT_EQ(all_say(honest, limits).said, always("MEDIA_TOO_LONG"));
  limits.duration = 100;
  EXPECT_EQ(all_say(honest, limits).said, "ok ok MEDIA_NO_VIDEO MEDIA_NO_VIDEO");
}

TEST(Limits, HolesOfSilenceAreLength) {
  // 20 s of sound whose clock jumps by an hour each second.
  const auto jumping = tone("20", "mkv", {"-af", "asetpts=N/SR/TB+floor(N/SR)*3600/TB", "-c:a", "pcm_s16le"});
  EXPECT_EQ(all_say(jumping).said, always("MEDIA_TOO_LONG"));
  // Live recordings do not say how long they are.
  const auto live = tone("20", "webm", {"-af", "asetpts=N/SR/TB+floor(N/SR)*3600/TB", "-c:a", "libopus", "-live", "1"});
  EXPECT_EQ(all_say(live).said, always("MEDIA_TOO_LONG"));
}

TEST(Limits, AFewSamplesDoNotBecomeMillions) {
  const auto slow = tone("3", "wav", {"-c:a", "pcm_s16le"});
  // 20 samples a second instead of 16,000: 40 minutes.
  const auto patch = patched(slow, std::string("\x80\x3E\0\0", 4), std::string("\x14\0\0\0", 4), "wav");
  EXPECT_EQ(in_child([&] { return name_of(listen(patch)); }).said, "MEDIA_UNREADABLE");
}

TEST(Limits, TheBudgetOfPixelsEndsWithWhatIsThere) {
  const auto video = make_with_ffmpeg(
      {"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=1:duration=60", "-c:v", "mpeg4", "-g", "1"}, "mp4");
  Limits limits;
  limits.decoded_pixels = 320 * 180 * 10;
  const auto both = in_child([&] {
    set_limits(limits);
    const auto scenes = name_of(scene_cuts(video));  // half of the budget
    const auto thumbnails = count_thumbnails(video);
    const auto after = count_thumbnails(video);
    return scenes + ' ' + std::to_string(thumbnails.value()) + ' ' + name_of(after) + ' ' + after.error().what();
  });
  EXPECT_THAT(both.said, ::testing::MatchesRegex("ok [3-5] MEDIA_TOO_MANY_PIXELS .*"));
  EXPECT_THAT(both.said, HasSubstr("more than 0.576 million pixels in all"));
}

TEST(Limits, TooLittleMemoryIsNoDamagedFile) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer needs the whole address space";
#endif
  const auto video = make_with_ffmpeg(
      {"-f", "lavfi", "-i", "color=gray:size=6000x6000:rate=1:duration=2", "-c:v", "libx264", "-preset", "ultrafast"},
      "mp4");
  EXPECT_EQ(in_child([&] { return name_of(count_thumbnails(video)); }, 20 * kMiB).said, "JOB_OUT_OF_MEMORY");
  // Wherever memory ends, in the decoder, the scaler or our own code.
  for (std::uint64_t mib = 30; mib <= 100; mib += 10) {
    const auto report = in_child([&] { return name_of(count_thumbnails(video)); }, mib * kMiB);
    EXPECT_THAT(report.said, ::testing::AnyOf("ok", "JOB_OUT_OF_MEMORY", "thrown: std::bad_alloc")) << mib;
  }
  EXPECT_EQ(in_child([&] { return name_of(count_thumbnails(video)); }).said, "ok");
}

}  // namespace
}  // namespace rushes::media
