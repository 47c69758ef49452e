#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "base/text.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

namespace rushes {
namespace {

TEST(Error, KeepsOperatorsWordsFromUsers) {
  const Error error(Errc::unavailable, "claim: database is locked");
  EXPECT_EQ(error.public_message(), "The service is not available; try again later.");
  EXPECT_EQ(error.public_name(), "UNAVAILABLE");
  EXPECT_EQ(error.http_status(), 503);
  EXPECT_TRUE(error.retryable());
}

TEST(Error, ShowsWordsMeantForUsers) {
  const auto error = Error::for_user(Errc::invalid_argument, "TRANSCRIPT_EMPTY", "The transcript has no words.");
  EXPECT_EQ(error.public_message(), "The transcript has no words.");
  EXPECT_EQ(error.public_name(), "TRANSCRIPT_EMPTY");
  EXPECT_EQ(error.http_status(), 422);
}

TEST(Uuid, IsVersion7AndSortsByTime) {
  FakeClock clock;
  SeededRng rng(1);
  const auto first = new_uuid(clock, rng);
  clock.advance(std::chrono::milliseconds(1));
  const auto second = new_uuid(clock, rng);
  EXPECT_TRUE(is_uuid(first)) << first;
  EXPECT_EQ(first[14], '7');
  EXPECT_LT(first, second);
  EXPECT_FALSE(is_uuid("../../etc/passwd"));
  EXPECT_EQ(Uuid::parse("0123abcd-4567-89ef-fedc-ba9876543210"), (Uuid{0x0123abcd456789efU, 0xfedcba9876543210U}));
  EXPECT_EQ(Uuid::parse("0123ABCD-4567-89ef-fedc-ba9876543210"), std::nullopt);
  EXPECT_EQ(Uuid::parse("0123abcd04567-89ef-fedc-ba9876543210"), std::nullopt);
  EXPECT_EQ(Uuid::parse("0123abcd-4567-89ef-fedc-ba987654321"), std::nullopt);
}

TEST(Clock, WritesRfc3339) {
  EXPECT_EQ(to_rfc3339(from_millis(1'767'225'600'042)), "2026-01-01T00:00:00.042Z");
  EXPECT_EQ(to_rfc3339(from_millis(-9'799'990'099'000)), "1659-06-14T04:31:41.000Z");
  EXPECT_EQ(to_rfc3339(from_millis(20'000'000'000'001)), "2603-10-11T11:33:20.001Z");
}

TEST(Base64Url, RoundTripsAllLengths) {
  SeededRng rng(7);
  for (std::size_t length = 0; length < 40; ++length) {
    std::string bytes(length, '\0');
    rng.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)).value(), bytes);
  }
  EXPECT_FALSE(base64url_decode("a"));
  EXPECT_FALSE(base64url_decode("ab=="));
  EXPECT_FALSE(base64url_decode("a+b/"));
  EXPECT_EQ(base64url_decode("-A").value(), "\xf8");
  EXPECT_FALSE(base64url_decode("-B")) << "the same byte, written otherwise";
  EXPECT_FALSE(base64url_decode("AAB"));
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndCutCharacters) {
  EXPECT_TRUE(is_utf8("Grüße, 世界 🎬"));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\xe4\xb8"));
}

TEST(Text, ShortensAtACharactersBorder) {
  EXPECT_EQ(shorten("Grüße", 100), "Grüße");
  EXPECT_EQ(shorten("Grüße aus Kiel", 7), "Grü…");
  EXPECT_TRUE(is_utf8(shorten("Grüße aus Kiel", 6)));
}

TEST(Text, WritesTimesAndSizesAsPeopleReadThem) {
  EXPECT_EQ(to_clock_time(0), "0:00");
  EXPECT_EQ(to_clock_time(190.9), "3:10");
  EXPECT_EQ(to_clock_time(3723), "1:02:03");
  EXPECT_EQ(to_human_size(12), "12 bytes");
  EXPECT_EQ(to_human_size(2UL << 30U), "2 GiB");
  EXPECT_EQ(to_human_size(1536UL << 10U), "1.5 MiB");
}

TEST(Json, RefusesNumbersThatItCouldNotWriteAgain) {
  for (const char* bad : {"1e400", "-1e400", R"([0,{"a":[1e3000]}])"}) EXPECT_FALSE(parse_json(bad)) << bad;
  for (const char* good : {"1e308", "-1.7976931348623157e308", "1e-400", "18446744073709551615"}) {
    EXPECT_TRUE(parse_json(good)) << good;
  }
}

TEST(Json, AByteOrderMarkIsNoError) {
  EXPECT_EQ(parse_json("\xEF\xBB\xBF[1]")->get_array().size(), 1U);
  const auto bad = parse_json("\xEF\xBB\xBF[x]");
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().what().ends_with("at byte 4")) << bad.error().what();
  EXPECT_FALSE(parse_json("\xEF\xBB\xBF\xEF\xBB\xBF[1]"));
}

TEST(Json, RefusesTrailingTextAndDeepNesting) {
  EXPECT_TRUE(parse_json(R"( {"a": [1, 2]} )"));
  EXPECT_FALSE(parse_json(R"({"a": 1} x)"));
  EXPECT_FALSE(parse_json(""));
  EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')));
}

TEST(File, ReplacesAtomicallyWithTheModeAskedFor) {
  const auto folder = std::filesystem::temp_directory_path() / ("rushes-base-test-" + SystemRng().token(6));
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(write_file_atomically(folder / "secret", "one", 0600));
  ASSERT_TRUE(write_file_atomically(folder / "secret", "two", 0600));
  EXPECT_EQ(read_file(folder / "secret").value(), "two");
  struct stat status {};
  ASSERT_EQ(::stat((folder / "secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(read_file(folder / "absent").error().code(), Errc::not_found);
  EXPECT_EQ(read_file(folder / "secret", 2).error().code(), Errc::too_large);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace rushes
