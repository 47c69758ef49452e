#include "media/audio.h"

#include "base/file.h"
#include "media/testing/sample_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace rushes::media {
namespace {

using testing::make_file;
using testing::make_with_ffmpeg;

constexpr std::size_t kSecond = AudioReader::kSampleRate;

std::vector<std::int16_t> read_all(const std::filesystem::path& path, std::size_t chunk = 4096) {
  auto reader = AudioReader::open(path).value();
  std::vector<std::int16_t> all;
  std::vector<std::int16_t> buffer(chunk);
  for (;;) {
    const auto count = reader->read(buffer).value();
    all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
    if (count < buffer.size()) break;
  }
  EXPECT_EQ(reader->read(buffer).value(), 0U);
  EXPECT_DOUBLE_EQ(reader->position(), static_cast<double>(all.size()) / kSecond);
  return all;
}

/// Root mean square from `from` to `to`, in seconds.
double loudness(const std::vector<std::int16_t>& samples, double from, double to) {
  double sum = 0;
  const auto begin = static_cast<std::size_t>(from * kSecond);
  const auto end = std::min(samples.size(), static_cast<std::size_t>(to * kSecond));
  for (auto i = begin; i < end; ++i) sum += static_cast<double>(samples[i]) * samples[i];
  return end > begin ? std::sqrt(sum / static_cast<double>(end - begin)) : 0;
}

/// Upward crossings of zero a second: the pitch of a tone.
double pitch(const std::vector<std::int16_t>& samples) {
  int crossings = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) crossings += samples[i - 1] < 0 && samples[i] >= 0 ? 1 : 0;
  return static_cast<double>(crossings) * kSecond / static_cast<double>(samples.size());
}

TEST(AudioReader, GivesTheSameToneFromEveryFormat) {
  for (const std::string suffix : {"wav", "mp3", "m4a", "flac", "ogg", "mp4", "mkv", "ts"}) {
    const auto samples = read_all(
        make_with_ffmpeg({"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=3", "-ac", "2"}, suffix));
    EXPECT_NEAR(static_cast<double>(samples.size()) / kSecond, 3, 0.1) << suffix;
    EXPECT_NEAR(pitch(samples), 440, 15) << suffix;
  }
}

TEST(AudioReader, DoesNotDependOnTheSizeOfReads) {
  const auto file = make_with_ffmpeg({"-f", "lavfi", "-i", "sine=sample_rate=48000:duration=2"}, "m4a");
  const auto whole = read_all(file, 100'000);
  EXPECT_EQ(read_all(file, 1), whole);
  EXPECT_EQ(read_all(file, 1023), whole);
}

TEST(AudioReader, KeepsTheTimesOfThePictures) {
  // The sound starts 1.5 s after the pictures, and has a hole from 3 to 5 s.
  const auto late = make_with_ffmpeg(
      {"-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10:duration=8", "-itsoffset", "1.5", "-f", "lavfi", "-i",
       "sine=duration=6", "-map", "0:v", "-map", "1:a", "-af", "aselect='not(between(t,3,5))'", "-c:a", "pcm_s16le"},
      "mkv");
  const auto samples = read_all(late);
  EXPECT_NEAR(static_cast<double>(samples.size()) / kSecond, 7.5, 0.1);
  EXPECT_EQ(loudness(samples, 0, 1.4), 0);
  EXPECT_GT(loudness(samples, 1.6, 2.9), 1000);
  EXPECT_EQ(loudness(samples, 3.2, 4.8), 0);
  EXPECT_GT(loudness(samples, 5.2, 7.4), 1000);
}

TEST(AudioReader, SkipsBrokenPackets) {
  const auto file = make_with_ffmpeg({"-f", "lavfi", "-i", "sine=duration=10", "-b:a", "64k"}, "mp3");
  auto content = read_file(file).value();
  for (std::size_t at = content.size() / 3; at < content.size() / 3 + 3000; ++at) content[at] = '\x55';
  const auto samples = read_all(make_file(content, "mp3"));
  EXPECT_GT(samples.size(), 9 * kSecond);
  EXPECT_NEAR(pitch(samples), 440, 40);
}

TEST(AudioReader, NeedsSound) {
  const auto silent = make_with_ffmpeg({"-f", "lavfi", "-i", "testsrc2=size=64x64:duration=1"}, "mp4");
  const auto opened = AudioReader::open(silent);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().public_name(), "MEDIA_NO_AUDIO");
  EXPECT_EQ(AudioReader::open(make_file("text", "mp3")).error().public_name(), "MEDIA_UNREADABLE");
}

}  // namespace
}  // namespace rushes::media
