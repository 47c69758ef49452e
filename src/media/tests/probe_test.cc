#include "media/probe.h"

#include "base/file.h"
#include "media/audio.h"
#include "media/testing/sample_files.h"
#include "media/thumbnails.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace rushes::media {
namespace {

using testing::make_file;
using testing::make_with_ffmpeg;

std::string name_of(const std::filesystem::path& path) {
  const auto result = probe(path);
  return result ? "no error" : std::string(result.error().public_name());
}

std::filesystem::path clip(const std::vector<std::string>& options, const std::string& suffix) {
  std::vector<std::string> arguments{"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4",
                                     "-f", "lavfi", "-i", "sine=duration=4"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return make_with_ffmpeg(arguments, suffix);
}

/// The file with its last part cut off.
std::filesystem::path truncated(const std::filesystem::path& path, double kept) {
  const auto content = read_file(path).value();
  return make_file(content.substr(0, static_cast<std::size_t>(static_cast<double>(content.size()) * kept)), "mp4");
}

TEST(Probe, TellsWhatIsInAVideo) {
  const auto found = probe(clip({"-metadata", "title=A\ttitle", "-metadata:s:a:0", "language=eng"}, "mp4")).value();
  EXPECT_NEAR(found.duration, 4, 0.1);
  EXPECT_TRUE(found.has_video);
  EXPECT_TRUE(found.has_audio);
  EXPECT_EQ(found.width, 320);
  EXPECT_EQ(found.height, 180);
  EXPECT_EQ(found.rotation, 0);
  EXPECT_DOUBLE_EQ(found.frame_rate, 25);
  EXPECT_EQ(found.container, "mp4");
  EXPECT_EQ(found.video_codec, "h264");
  EXPECT_EQ(found.audio_codec, "aac");
  EXPECT_EQ(found.language, "eng");
  EXPECT_EQ(found.title, "A title");
  EXPECT_GT(found.size_bytes, 1000U);
}

TEST(Probe, ReadsTheOrdinaryContainers) {
  struct Case {
    std::string suffix;
    std::string container;
    std::vector<std::string> options;
  };
  const std::vector<Case> cases{{"mov", "mov", {}},
                                {"mkv", "mkv", {}},
                                {"webm", "webm", {"-c:v", "libvpx", "-deadline", "realtime"}},
                                {"ts", "mpegts", {}},
                                {"avi", "avi", {}},
                                {"flv", "flv", {"-ar", "44100"}},
                                {"mpg", "mpeg", {}},
                                {"ogv", "ogg", {"-c:v", "libtheora", "-c:a", "libvorbis"}},
                                {"wmv", "asf", {}}};
  for (const auto& [suffix, container, options] : cases) {
    const auto found = probe(clip(options, suffix));
    ASSERT_TRUE(found) << suffix << ": " << found.error().what();
    EXPECT_EQ(found->container, container);
    EXPECT_NEAR(found->duration, 4, 0.3) << suffix;
    EXPECT_TRUE(found->has_audio && found->has_video) << suffix;
    EXPECT_EQ(found->width, 320) << suffix;
  }
}

TEST(Probe, ReadsSoundFiles) {
  for (const std::string suffix : {"m4a", "mp3", "wav", "flac", "ogg", "aac", "aiff", "w64", "wma", "opus"}) {
    const auto found = probe(make_with_ffmpeg({"-f", "lavfi", "-i", "sine=duration=4"}, suffix));
    ASSERT_TRUE(found) << suffix << ": " << found.error().what();
    EXPECT_TRUE(found->has_audio) << suffix;
    EXPECT_FALSE(found->has_video) << suffix;
    EXPECT_NEAR(found->duration, 4, 0.2) << suffix;
    EXPECT_EQ(found->width, 0) << suffix;
  }
}

TEST(Probe, ACoverIsNoVideo) {
  const auto cover = make_with_ffmpeg({"-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1"}, "png");
  const auto song = make_with_ffmpeg({"-f", "lavfi", "-i", "sine=duration=2", "-i", cover.string(), "-map", "0:a",
                                      "-map", "1:v", "-disposition:v:0", "attached_pic", "-id3v2_version", "3"},
                                     "mp3");
  const auto found = probe(song).value();
  EXPECT_TRUE(found.has_audio);
  EXPECT_FALSE(found.has_video);
  testing::TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  EXPECT_EQ(make_thumbnails(song, options).error().public_name(), "MEDIA_NO_VIDEO");
}

TEST(Probe, SaysHowThePictureIsShown) {
  const auto wide = probe(clip({"-vf", "setsar=4/3"}, "mp4")).value();
  EXPECT_EQ(wide.width, 427);
  EXPECT_EQ(wide.height, 180);

  const auto turned =
      make_with_ffmpeg({"-i", clip({}, "mp4").string(), "-c", "copy", "-metadata:s:v:0", "rotate=90"}, "mp4");
  const auto upright = probe(turned).value();
  EXPECT_EQ(upright.rotation % 180, 90);
  EXPECT_EQ(upright.width, 180);
  EXPECT_EQ(upright.height, 320);
}

TEST(Probe, MeasuresWhatDoesNotSayHowLongItIs) {
  // As browsers record: no duration, no index.
  const auto live =
      make_with_ffmpeg({"-f", "lavfi", "-i", "sine=duration=4", "-c:a", "libopus", "-f", "webm", "-live", "1"}, "webm");
  EXPECT_NEAR(probe(live).value().duration, 4, 0.1);
}

TEST(Probe, ContentDecidesNotTheSuffix) {
  std::filesystem::path odd = clip({}, "mp4");
  const auto renamed = make_file(read_file(odd).value(), "txt");
  EXPECT_EQ(probe(renamed).value().container, "mp4");
}

TEST(Probe, RefusesWhatIsNoMedia) {
  EXPECT_EQ(name_of(make_file("Just a text, nothing more. It goes on for a while.\n", "mp4")), "MEDIA_UNREADABLE");
  EXPECT_EQ(name_of(make_file("", "mp4")), "MEDIA_EMPTY");
  EXPECT_EQ(name_of(make_with_ffmpeg({"-f", "lavfi", "-i", "testsrc2", "-frames:v", "1"}, "png")), "MEDIA_UNREADABLE");
  EXPECT_EQ(name_of(std::filesystem::temp_directory_path()), "MEDIA_UNREADABLE");
  const auto missing = probe("/nonexistent/video.mp4");
  EXPECT_EQ(missing.error().code(), Errc::not_found);
  std::string noise(200'000, '\0');
  std::uint32_t state = 1;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24U);
  EXPECT_EQ(name_of(make_file(noise, "mp3")), "MEDIA_UNREADABLE");
  // Subtitles in a container of sound and pictures.
  const auto srt = make_file("1\n00:00:01,000 --> 00:00:02,000\nhello\n", "srt");
  EXPECT_EQ(name_of(make_with_ffmpeg({"-i", srt.string()}, "mkv")), "MEDIA_NO_STREAMS");
}

TEST(Probe, RefusesFilesThatReferToOthers) {
  const auto victim = clip({}, "ts").string();
  for (const auto& text :
       {"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nconcat:/etc/passwd|/etc/hostname\n#EXT-X-ENDLIST\n"}) {
    EXPECT_EQ(name_of(make_file(text, "mp4")), "MEDIA_UNREADABLE");
  }
  EXPECT_EQ(
      name_of(make_file("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:4,\n" + victim + "\n#EXT-X-ENDLIST\n", "m3u8")),
      "MEDIA_UNREADABLE");
  EXPECT_EQ(name_of(make_file("ffconcat version 1.0\nfile '" + victim + "'\n", "mp4")), "MEDIA_UNREADABLE");
  EXPECT_EQ(name_of(make_file("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
                              "a=rtpmap:96 H264/90000\n",
                              "mp4")),
            "MEDIA_UNREADABLE");
  EXPECT_EQ(name_of(make_file("<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\">\n"
                              "<Period><AdaptationSet><Representation><BaseURL>file:///etc/passwd</BaseURL>"
                              "</Representation></AdaptationSet></Period></MPD>\n",
                              "mp4")),
            "MEDIA_UNREADABLE");
}

TEST(Probe, TruncatedFilesGiveWhatIsThereOrAnError) {
  // The index stands at the end: nothing can be read.
  EXPECT_EQ(name_of(truncated(clip({}, "mp4"), 0.6)), "MEDIA_UNREADABLE");
  // The index stands in front: half of the sound is there.
  const auto half = truncated(clip({"-movflags", "+faststart"}, "mp4"), 0.6);
  EXPECT_TRUE(probe(half).value().has_video);
  auto reader = AudioReader::open(half).value();
  std::vector<std::int16_t> samples(16'000 * 5);
  const auto count = reader->read(samples).value();
  EXPECT_GT(count, 16'000U);
  EXPECT_LT(count, 16'000U * 4);
  testing::TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  EXPECT_GT(make_thumbnails(half, options).value().size(), 0U);
}

}  // namespace
}  // namespace rushes::media
