#include "media/source.h"

#include "base/file.h"
#include "media/audio.h"
#include "media/probe.h"
#include "media/scenes.h"
#include "media/testing/sample_files.h"
#include "media/thumbnails.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace rushes::media {
namespace {

using testing::make_file;
using testing::make_with_ffmpeg;

std::filesystem::path clip() {
  return make_with_ffmpeg(
      {"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4", "-f", "lavfi", "-i", "sine=duration=4"}, "mp4");
}

FileDescriptor open_file(const std::filesystem::path& path) {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

std::vector<std::int16_t> read_all(AudioReader& reader) {
  std::vector<std::int16_t> samples(16'000 * 10);
  samples.resize(reader.read(samples).value());
  return samples;
}

TEST(Source, ADescriptorWorksLikeItsPath) {
  const auto file = open_file(clip());
  ASSERT_EQ(::lseek(file.get(), 7, SEEK_SET), 7);
  const auto source = Source::of_descriptor(file.get());

  const auto found = probe(source).value();
  EXPECT_NEAR(found.duration, 4, 0.1);
  EXPECT_EQ(found.size_bytes, std::filesystem::file_size(clip()));
  EXPECT_TRUE(scene_cuts(source));
  testing::TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  EXPECT_EQ(make_thumbnails(source, options).value().size(), 10U);
  EXPECT_EQ(read_all(*AudioReader::open(source).value()), read_all(*AudioReader::open(clip()).value()));
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 7);  // neither used nor changed
}

TEST(Source, ReadersOfOneDescriptorDoNotDisturbEachOther) {
  const auto file = open_file(clip());
  const auto source = Source::of_descriptor(file.get());
  const auto whole = read_all(*AudioReader::open(source).value());
  auto first = AudioReader::open(source).value();
  auto second = AudioReader::open(source).value();
  std::array<std::vector<std::int16_t>, 2> heard;
  for (bool more = true; more;) {
    more = false;
    for (auto* reader : {&first, &second}) {
      std::array<std::int16_t, 1000> samples{};
      const auto count = (*reader)->read(samples).value();
      auto& all = heard.at(reader == &first ? 0 : 1);
      all.insert(all.end(), samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(count));
      more = more || count > 0;
    }
  }
  EXPECT_EQ(heard[0], whole);
  EXPECT_EQ(heard[1], whole);
}

TEST(Source, ADescriptorNeedsNoPath) {
  testing::TemporaryFolder folder;
  const auto path = folder.path() / "gone.mp4";
  std::filesystem::copy_file(clip(), path);
  const auto file = open_file(path);
  std::filesystem::remove(path);
  EXPECT_TRUE(probe(Source::of_descriptor(file.get())).value().has_video);
}

TEST(Source, RefusesDescriptorsOfWhatIsNoFile) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const FileDescriptor out(ends[0]);
  const FileDescriptor in(ends[1]);
  EXPECT_EQ(probe(Source::of_descriptor(out.get())).error().public_name(), "MEDIA_UNREADABLE");
  const auto empty = open_file(make_file("", "mp4"));
  EXPECT_EQ(probe(Source::of_descriptor(empty.get())).error().public_name(), "MEDIA_EMPTY");
  EXPECT_FALSE(probe(Source::of_descriptor(1'000'000)));
  EXPECT_FALSE(probe(Source::of_descriptor(-1)));
}

}  // namespace
}  // namespace rushes::media
