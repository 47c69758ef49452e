#include "api/multipart.h"

#include "api/incoming_file.h"
#include "async/run.h"
#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace rushes::api {
namespace {

constexpr std::string_view kForm =
    "a preamble that means nothing\r\n"
    "--edge\r\nContent-Disposition: form-data; name=\"configuration\"\r\n\r\n{\"language\":\"en\"}\r\n"
    "--edge\r\nContent-Disposition: form-data; name=\"video\"; filename=\"a \\\"b\\\".mp4\"\r\n"
    "Content-Type: video/mp4\r\n\r\nbytes\r\n--edg\r\n-\r\n--edge-no\r\n\r\n--edge--\r\n";

/// Gives `text` out in pieces of at most `piece` bytes.
MultipartReader::Source source_of(std::string_view text, std::size_t piece) {
  auto at = std::make_shared<std::size_t>(0);
  return [text, piece, at](std::span<char> space) -> Task<Result<std::size_t>> {
    const auto given = std::min({piece, space.size(), text.size() - *at});
    std::memcpy(space.data(), text.data() + *at, given);
    *at += given;
    co_return given;
  };
}

struct Part {
  PartHead head;
  std::string content;
};

Task<Result<std::vector<Part>>> read_all(MultipartReader& reader) {
  std::vector<Part> parts;
  for (;;) {
    const auto head = co_await reader.next_part();
    if (!head) co_return head.error();
    if (!*head) co_return parts;
    parts.push_back({**head, {}});
    for (;;) {
      const auto bytes = co_await reader.read();
      if (!bytes) co_return bytes.error();
      if (bytes->empty()) break;
      parts.back().content += *bytes;
    }
  }
}

Result<std::vector<Part>> parts_of(std::string_view text, std::size_t piece, std::size_t buffer = 1024) {
  MultipartReader reader("edge", source_of(text, piece), buffer);
  return run_to_end(read_all(reader));
}

TEST(Multipart, ReadsTheSameHoweverTheBytesCome) {
  // `--edge-no` begins like the boundary and is one, by RFC 2046: a line that starts with it ends the part.
  for (std::size_t piece = 1; piece <= kForm.size(); ++piece) {
    const auto parts = parts_of(kForm.substr(0, kForm.find("\r\n--edge-no")), piece);
    ASSERT_FALSE(parts) << "the end is missing";
    EXPECT_EQ(parts.error().public_name(), "MULTIPART_MALFORMED");
  }
  std::string whole(kForm);
  whole.erase(whole.find("\r\n--edge-no"), std::strlen("\r\n--edge-no"));
  for (std::size_t piece = 1; piece <= whole.size(); ++piece) {
    const auto parts = parts_of(whole, piece);
    ASSERT_TRUE(parts) << piece << ": " << parts.error().what();
    ASSERT_EQ(parts->size(), 2U) << piece;
    EXPECT_EQ((*parts)[0].head.name, "configuration");
    EXPECT_FALSE((*parts)[0].head.is_file);
    EXPECT_EQ((*parts)[0].content, "{\"language\":\"en\"}");
    EXPECT_EQ((*parts)[1].head.file_name, "a \"b\".mp4");
    EXPECT_TRUE((*parts)[1].head.is_file);
    EXPECT_EQ((*parts)[1].content, "bytes\r\n--edg\r\n-\r\n");
  }
}

TEST(Multipart, ContentLargerThanTheBufferPassesThroughIt) {
  std::string large(100'000, 'x');
  for (std::size_t i = 0; i < large.size(); i += 7) large[i] = '\r';
  const auto text = "--edge\r\nContent-Disposition: form-data; name=video; filename=a\r\n\r\n" + large + "\r\n--edge--";
  const auto parts = parts_of(text, 333, 256);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->at(0).content, large);
}

TEST(Multipart, RefusesWhatIsNoForm) {
  EXPECT_FALSE(parts_of("", 10));
  EXPECT_FALSE(parts_of("no boundary at all", 10));
  EXPECT_FALSE(parts_of("--edge\r\nContent-Disposition: form-data\r\n\r\nnameless\r\n--edge--", 10));
  EXPECT_FALSE(parts_of("--edge\r\n" + std::string(20'000, 'h'), 1000, 64U << 10U));
  EXPECT_FALSE(parts_of("--edge\r\n" + std::string(20'000, 'h'), 1000, 512)) << "a head that fills the buffer";
  EXPECT_TRUE(parts_of("--edge--", 10)->empty());
}

TEST(Multipart, FindsTheBoundaryInTheContentType) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc").value(), "abc");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=x; Boundary=\"a b\"").value(), "a b");
  EXPECT_EQ(multipart_boundary("application/json").error().code(), Errc::unsupported);
  EXPECT_FALSE(multipart_boundary("multipart/form-data"));
  EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'a')));
}

Task<Result<void>> write_file(BlockingPool& blocking, std::filesystem::path folder, bool commit) {
  auto file = co_await IncomingFile::create(blocking, std::move(folder));
  if (!file) co_return file.error();
  auto written = co_await (*file)->write("some bytes");
  if (!written || !commit) co_return written;
  co_return co_await (*file)->commit();
}

TEST(IncomingFile, IsThereWholeOrNotAtAll) {
  BlockingPool blocking(1);
  const auto root = std::filesystem::temp_directory_path() / ("rushes-incoming-" + SystemRng().token(6));
  ASSERT_TRUE(run_to_end(write_file(blocking, root / "kept", true)));
  EXPECT_EQ(read_file(root / "kept" / "source").value(), "some bytes");
  EXPECT_FALSE(std::filesystem::exists(root / "kept" / "incoming"));
  ASSERT_TRUE(run_to_end(write_file(blocking, root / "dropped", false)));
  EXPECT_FALSE(std::filesystem::exists(root / "dropped"));
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace rushes::api
