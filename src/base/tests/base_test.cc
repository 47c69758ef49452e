#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "base/result.h"
#include "base/text.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <utility>

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

TEST(Json, NumbersAreTheNearestDoubles) {
  for (const auto* digits :
       {"31.72", "0.1", "3.3", "1.005", "123456.789", "2.2250738585072011e-308", "9007199254740993e1"}) {
    EXPECT_EQ(parse_json(digits)->get_double(), std::strtod(digits, nullptr)) << digits;
  }
  EXPECT_EQ(parse_json("1e-400")->get_double(), 0);
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
  EXPECT_TRUE(parse_json(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')));
  const auto deep = parse_json(std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']'));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().what(), "not JSON: nested deeper than 128 levels at byte 128");
}

TEST(Json, HalfASurrogatePairBecomesTheReplacementCharacter) {
  const auto read = [](std::string_view text) {
    const auto value = parse_json(text);
    return value ? std::string(value->get_string()) : value.error().what();
  };
  const std::pair<const char*, const char*> cases[] = {
      {R"("\ud83c")", "\uFFFD"},                // leading, at the end: an emoji cut in two
      {R"("\udfac")", "\uFFFD"},                // trailing
      {R"("\uD83C\uDFAC")", "🎬"},               // a pair
      {R"("\ud83c\ud83c\udfac")", "\uFFFD🎬"},   // leading, then a pair
      {R"("\ud83c\udfac\udfac")", "🎬\uFFFD"},   // a pair, then trailing
      {R"("\udfac\ud83c")", "\uFFFD\uFFFD"},    // the wrong way round
      {R"("\ud83cx\udfac")", "\uFFFDx\uFFFD"},  // something in between
      {R"("\ud83c\n")", "\uFFFD\n"},            // another escape behind it
      {R"("\ud83c\\udfac")", "\uFFFD\\udfac"},  // an escaped backslash behind it
      {R"("\\ud83c")", "\\ud83c"},              // an escaped backslash before it: six letters
      {R"("\\\ud83c")", "\\\uFFFD"},            // three of them: a backslash and a half
      {R"("\uDBFF")", "\uFFFD"},
      {R"("\uDC00")", "\uFFFD"},
      {R"("\uD7FF\uE000")", "\uD7FF\uE000"},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(read(text), value) << text;
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t place = 0; place <= length; ++place) {
      std::string text(length, 'x');
      const auto expected = text.substr(0, place) + "\uFFFD" + text.substr(place);
      for (const auto* half : {"\\ud83c", "\\uDFAC"}) {
        ASSERT_EQ(read('"' + text.substr(0, place) + half + text.substr(place) + '"'), expected)
            << length << ", " << place;
      }
    }
  }
  EXPECT_EQ(parse_json(R"({"k\ud83c":1})")->get_object().begin()->key(), "k\uFFFD");
  for (const auto* cut :
       {R"("\ud83")", R"("\ud83c)", R"("\ud83c\u")", R"("\ud83c\udfa")", R"("\ud8xx")", R"("\u")", R"("\)"}) {
    EXPECT_FALSE(parse_json(cut)) << cut;
  }
  const auto bad = parse_json(R"(["\ud83c", x])");
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().what().ends_with("at byte 11")) << bad.error().what();
}

TEST(Json, BytesThatAreNotUtf8AreNamed) {
  for (const auto* bad : {"\"\xff\"", "\"abc\xed\xa0\x80\"", "{\"k\xc3\":1}", "\"\xf0\x9f\x8e\"", "\xff"}) {
    const auto refused = parse_json(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_TRUE(refused.error().what().starts_with("not JSON: bytes that are not UTF-8 at byte "))
        << refused.error().what();
  }
  EXPECT_TRUE(parse_json("[\"\xff\"").error().what().ends_with("not UTF-8 at byte 2"));
}

TEST(Json, WritesNumbersAsJavaScriptDoes) {
  const std::pair<double, const char*> cases[] = {
      {0.1, "0.1"},
      {2.5, "2.5"},
      {5, "5"},
      {-0.0, "0"},
      {-3.25, "-3.25"},
      {31.72, "31.72"},
      {100'000, "100000"},
      {1e20, "100000000000000000000"},
      {1e21, "1e+21"},
      {1e-6, "0.000001"},
      {1.5e-7, "1.5e-07"},
      {1e300, "1e+300"},
      {1.0 / 3, "0.3333333333333333"},
      {0.1 + 0.2, "0.30000000000000004"},
      {std::numeric_limits<double>::infinity(), "null"},
      {std::nan(""), "null"},
  };
  for (const auto& [number, text] : cases) EXPECT_EQ(to_json_text(json::value(number)), text);
  for (const auto extreme : {std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(),
                             std::numeric_limits<double>::min(), std::numeric_limits<double>::denorm_min(),
                             -1.2345678901234567e-6, 123456789012345680000.0, -999999999999999900000.0}) {
    EXPECT_EQ(std::strtod(to_json_text(json::value(extreme)).c_str(), nullptr), extreme);
  }
}

TEST(Json, WritesWhatItReads) {
  for (const auto* text : {R"({"a":[1,-2,18446744073709551615,2.5,true,false,null,"\u0001\"\\\n🎬"],"":{},"e":[]})",
                           "[]", "{}", "null", R"("")", "[[[[]]]]", R"({"x":{"y":{"z":0.1}}})"}) {
    EXPECT_EQ(to_json_text(parse_json(text).value()), text);
  }
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
