#include "app/cli/submission.h"

#include "app/cli/duration.h"
#include "app/cli/when.h"
#include "base/json_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rushes::app::cli {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr FileLook kNothingThere{};
constexpr FileLook kText{true, true, false, true};
constexpr FileLook kBytes{true, true, false, false};

std::string refusal(const std::string& argument, const std::string& as, const FileLook& look) {
  const auto decided = decide_source(argument, as, look);
  return decided ? "accepted" : decided.error().what();
}

TEST(DecideSource, GoesByFormThenSuffixThenContent) {
  EXPECT_EQ(decide_source("https://example.org/v", "", kNothingThere).value(), SourceKind::url);
  EXPECT_EQ(decide_source("HTTP://example.org/v", "", kNothingThere).value(), SourceKind::url);
  EXPECT_EQ(decide_source("talk.mp4", "", kBytes).value(), SourceKind::file);
  EXPECT_EQ(decide_source("talk.SRT", "", kBytes).value(), SourceKind::transcript);
  EXPECT_EQ(decide_source("notes", "", kText).value(), SourceKind::transcript);
  EXPECT_EQ(decide_source("recording", "", kBytes).value(), SourceKind::file);
  EXPECT_EQ(decide_source("text-in-disguise.mp4", "", kText).value(), SourceKind::file);
  EXPECT_EQ(decide_source("-", "", kNothingThere).value(), SourceKind::transcript);
}

TEST(DecideSource, CanBeToldOtherwise) {
  EXPECT_EQ(decide_source("captions.txt", "file", kText).value(), SourceKind::file);
  EXPECT_EQ(decide_source("talk.mp4", "transcript", kText).value(), SourceKind::transcript);
  EXPECT_EQ(decide_source("https://example.org", "file", kBytes).value(), SourceKind::file)
      << "a folder can be called `https:`";
  EXPECT_THAT(refusal("talk.mp4", "url", kBytes), HasSubstr("'talk.mp4' is not a URL"));
}

TEST(DecideSource, NamesWhatIsMissing) {
  EXPECT_THAT(refusal("absent.mp4", "", kNothingThere), HasSubstr("There is no file 'absent.mp4'"));
  EXPECT_THAT(refusal("www.youtube.com/watch?v=x", "", kNothingThere), HasSubstr("https://"));
  EXPECT_THAT(refusal("folder", "", FileLook{true, false, false, false}), HasSubstr("'folder' is not a file"));
  EXPECT_THAT(refusal("empty.mp4", "", FileLook{true, true, true, false}), HasSubstr("'empty.mp4' is empty"));
}

TEST(ReadsAsText, KnowsTextFromBytes) {
  EXPECT_TRUE(reads_as_text("WEBVTT\r\n\n00:01.000 --> 00:02.000\tHello"));
  EXPECT_TRUE(reads_as_text("\xEF\xBB\xBFHello"));
  EXPECT_TRUE(reads_as_text("cut through: \xF0\x9F\x8E")) << "a character that the end of the look cut";
  EXPECT_FALSE(reads_as_text("latin: \xE9t\xE9 "));
  EXPECT_FALSE(
      reads_as_text(std::string_view("\0\0\0\x20"
                                     "ftypisom",
                                     12)));
  EXPECT_FALSE(reads_as_text(""));
}

TEST(Configuration, HoldsOnlyWhatWasChosen) {
  EXPECT_EQ(configuration_of({}, ""), json::object());
  EXPECT_EQ(to_json_text(configuration_of({"en", "friendly", "T"}, "https://e")),
            R"({"url":"https://e","language":"en","tone":"friendly","title":"T"})");
}

TEST(Duration, ReadsWhatPeopleType) {
  EXPECT_EQ(parse_duration("90s").value(), seconds(90));
  EXPECT_EQ(parse_duration("15m").value(), minutes(15));
  EXPECT_EQ(parse_duration("1h").value(), hours(1));
  EXPECT_EQ(parse_duration("7d").value(), hours(7 * 24));
  for (const auto* bad : {"", "h", "10", "0s", "-1h", "1.5h", "1 h", "1hh", "1w", "99999d", "99999999999999999999s"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_THAT(parse_duration("soon").error().what(), HasSubstr("'soon'"));
}

TEST(When, SaysHowLongAgoAndHowLong) {
  const Timestamp time = from_millis(1'767'225'600'042);
  EXPECT_EQ(ago(time, time + seconds(59)), "just now");
  EXPECT_EQ(ago(time, time + minutes(5)), "5 min ago");
  EXPECT_EQ(ago(time, time + hours(30)), "30 h ago");
  EXPECT_EQ(ago(time, time + hours(24 * 12)), "12 d ago");
  EXPECT_EQ(elapsed("2026-01-01T00:00:00Z", "2026-01-01T00:01:05Z"), "1:05");
  EXPECT_EQ(elapsed("", "2026-01-01T00:01:05Z"), "");
}

}  // namespace
}  // namespace rushes::app::cli
