#include "captions/captions.h"

#include "base/random.h"
#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <string>

namespace rushes::captions {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> texts(const Transcript& transcript) {
  std::vector<std::string> all;
  for (const auto& segment : transcript.segments) all.push_back(segment.text);
  return all;
}

std::string name_of(const Result<Transcript>& result) {
  return result ? "no error" : std::string(result.error().public_name());
}

void expect_sound(const Transcript& transcript) {
  double last = 0;
  for (const auto& segment : transcript.segments) {
    EXPECT_GE(segment.start, last);
    EXPECT_GT(segment.end, segment.start) << segment.text;
    EXPECT_LE(segment.start, 360'000);
    EXPECT_FALSE(segment.text.empty());
    EXPECT_TRUE(is_utf8(segment.text));
    for (const char c : segment.text) EXPECT_FALSE(c >= 0 && c < 0x20);
    last = segment.end;
  }
}

constexpr std::string_view kSrt =
    "\xEF\xBB\xBF"
    "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hello</i> {\\an8}there,\r\nyou & me.\r\n\r\n"
    "2\r\n00:00:02,500 --> 00:01:03,042 X1:40 X2:600\r\n<font color=\"red\">If a < b</font>\r\n";

TEST(Srt, ReadsWhatPlayersRead) {
  const auto transcript = parse_srt(kSrt).value();
  ASSERT_THAT(texts(transcript), ElementsAre("Hello there, you & me.", "If a < b"));
  EXPECT_DOUBLE_EQ(transcript.segments[0].start, 1.0);
  EXPECT_DOUBLE_EQ(transcript.segments[0].end, 2.5);
  EXPECT_DOUBLE_EQ(transcript.segments[1].end, 63.042);
  EXPECT_TRUE(transcript.timed);
}

TEST(Srt, NeedsNeitherNumbersNorBlankLines) {
  EXPECT_THAT(
      texts(parse_srt("0:01.5 --> 0:02.5\na\n0:03.5 --> 0:04.5\nb\n\nc\n3\n00:00:05,0 --> 00:00:06,0\n42\n").value()),
      ElementsAre("a", "b c", "42"));
}

TEST(Vtt, LeavesOutAllThatIsNotSpoken) {
  const auto transcript = parse_vtt(R"(WEBVTT - a title
Kind: captions
Language: en-GB

STYLE
::cue { color: red }

REGION
id:fred

NOTE a comment
00:00:09.000 --> 00:00:10.000
not spoken

intro
00:01.000 --> 00:02.000 align:start position:0%
<v Mary Ann>Fish &amp; <c.loud>chips</c> &lt;3&nbsp;&#x1F3AC;</v>

01:00:02.000 --> 01:00:03.000
<b>A</b> <00:00:02.500>B < C
)")
                              .value();
  EXPECT_THAT(texts(transcript), ElementsAre("Fish & chips <3 🎬", "A B < C"));
  EXPECT_EQ(transcript.language, "en-GB");
  EXPECT_DOUBLE_EQ(transcript.segments[1].start, 3602);
}

TEST(Vtt, TellsEachRollingLineOnce) {
  const auto transcript = parse_vtt(R"(WEBVTT
Kind: captions
Language: en

00:00:00.080 --> 00:00:02.350 align:start position:0%
 
so<00:00:00.320><c> today</c><00:00:00.560><c> we</c>

00:00:02.350 --> 00:00:02.360 align:start position:0%
so today we
 

00:00:02.360 --> 00:00:04.550 align:start position:0%
so today we
cut<00:00:02.640><c> the</c><00:00:02.800><c> film</c>

00:00:04.550 --> 00:00:04.560 align:start position:0%
cut the film
 

00:00:04.560 --> 00:00:06.000 align:start position:0%
cut the film
no<00:00:05.000><c> no</c>
)")
                              .value();
  ASSERT_THAT(texts(transcript), ElementsAre("so today we", "cut the film", "no no"));
  EXPECT_DOUBLE_EQ(transcript.segments[0].start, 0.08);
  EXPECT_DOUBLE_EQ(transcript.segments[0].end, 2.36);
  EXPECT_DOUBLE_EQ(transcript.segments[1].start, 2.36);
}

TEST(Srt, UnrollsTheSameFromSubRip) {
  EXPECT_THAT(texts(parse_srt("1\n00:00:00,000 --> 00:00:02,000\none two\n\n"
                              "2\n00:00:02,000 --> 00:00:02,010\none two\n\n"
                              "3\n00:00:02,010 --> 00:00:04,000\none two\nthree\n\n"
                              "4\n00:00:04,000 --> 00:00:04,010\nthree\n\n"
                              "5\n00:00:04,010 --> 00:00:06,000\nthree\nfour\n\n")
                        .value()),
              ElementsAre("one two", "three", "four"));
}

TEST(Srt, KeepsWhatIsReallySaidTwice) {
  EXPECT_THAT(texts(parse_srt("1\n00:00:00,000 --> 00:00:01,000\nNo.\n\n2\n00:00:01,000 --> 00:00:02,000\nNo.\n\n"
                              "3\n00:00:02,000 --> 00:00:03,000\nNo.\n\n")
                        .value()),
              ElementsAre("No.", "No.", "No."));
}

TEST(Captions, RiseAndDoNotOverlap) {
  const auto transcript = parse_srt(
                              "00:00:05,000 --> 00:00:09,000\nlate\n\n00:00:01,000 --> 00:00:07,000\nearly\n\n"
                              "00:00:05,000 --> 00:00:06,000\ntogether\n\n00:00:20,000 --> 00:00:10,000\nbackwards\n\n"
                              "99:59:59,999 --> 100:00:00,000\nlast\n\n123456:00:00,000 --> 123456:00:01,000\nnever\n")
                              .value();
  EXPECT_THAT(texts(transcript), ElementsAre("early", "late together", "backwards", "last"));
  expect_sound(transcript);
  EXPECT_DOUBLE_EQ(transcript.segments[0].end, 5);
}

TEST(PlainText, BecomesSentencesAtSpeakingPace) {
  const auto transcript = parse_text(
                              "Mr. Smith cuts\nfilms. Does he?\n\nA heading without a full stop\n\n"
                              "It takes 3.5 hours!\n")
                              .value();
  EXPECT_THAT(texts(transcript),
              ElementsAre("Mr. Smith cuts films.", "Does he?", "A heading without a full stop", "It takes 3.5 hours!"));
  EXPECT_FALSE(transcript.timed);
  EXPECT_DOUBLE_EQ(transcript.segments[0].end, 1.6);  // four words
  expect_sound(transcript);
}

TEST(PlainText, WithoutPunctuationIsCutIntoPieces) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "word ";
  const auto transcript = parse_text(text).value();
  EXPECT_NEAR(transcript.segments.back().end, 400, 1);
  for (const auto& segment : transcript.segments) EXPECT_LE(segment.end - segment.start, 13);
  EXPECT_EQ(transcript.text(), std::string(trim(text)));

  std::string chinese;
  for (int i = 0; i < 400; ++i) chinese += "电影";
  const auto cut = parse_text(chinese).value();
  EXPECT_GT(cut.segments.size(), 15U);
  expect_sound(cut);
}

TEST(Captions, AreToldApart) {
  EXPECT_EQ(detect_format(kSrt), Format::srt);
  EXPECT_EQ(detect_format("\xEF\xBB\xBFWEBVTT\n\n"), Format::vtt);
  EXPECT_EQ(detect_format("WEBVTTX is a word"), Format::text);
  EXPECT_EQ(detect_format("He drew an arrow --> there."), Format::text);
  EXPECT_EQ(detect_format(""), Format::text);
  EXPECT_FALSE(parse_any("Just words.").value().timed);
  EXPECT_TRUE(parse_any(kSrt).value().timed);
}

TEST(Captions, EndWithinTheLongestTimeAlsoWhereTheEndIsGuessed) {
  const auto transcript = parse_any("100:00:00.000 --> 99:00:00.000\nlate words");
  ASSERT_TRUE(transcript);
  EXPECT_EQ(transcript->segments.at(0).end, 360'000);
}

TEST(Captions, RefuseWhatHasNoWords) {
  for (const auto* text : {"", " \r\n\t ", "WEBVTT", "WEBVTT\n\n00:01.000 --> 00:02.000\n<c></c>\n",
                           "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:02,000 --> 00:00:03,000\n", "\xEF\xBB\xBF"}) {
    const auto result = parse_any(text);
    EXPECT_EQ(name_of(result), "TRANSCRIPT_EMPTY") << text;
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().http_status(), 422);
  }
  EXPECT_EQ(name_of(parse_any(std::string_view("\0\x01\0", 3))), "TRANSCRIPT_EMPTY");
}

TEST(Captions, RefuseWhatIsNotUtf8) {
  for (const std::string_view text : {"Gr\xFC\xDF"
                                      "e",
                                      "\xFF\xFE"
                                      "1",
                                      "WEBVTT\n\n00:01.000 --> 00:02.000\n\xED\xA0\x80\n"}) {
    EXPECT_EQ(name_of(parse_any(text)), "TRANSCRIPT_NOT_UTF8");
  }
}

TEST(Captions, LoseControlsAndDisguises) {
  using namespace std::string_view_literals;
  EXPECT_THAT(texts(parse_any("a\0b\x1B[31m c\u202E d\u2028e\u200B.\x7F"sv).value()), ElementsAre("ab[31m c d e."));
  EXPECT_THAT(texts(parse_any("WEBVTT\n\n00:01.000 --> 00:02.000\nx&#0;&#27;&#xD800;y&#10;z&unknown;\n").value()),
              ElementsAre("x&#xD800;y z&unknown;"));
}

TEST(Captions, TooManyAreRefused) {
  std::string text;
  for (std::size_t i = 0; i <= kMaxSegments; ++i) text += "00:00:01,000 --> 00:00:02,000\na\n";
  EXPECT_EQ(name_of(parse_any(text)), "TRANSCRIPT_TOO_LARGE");
  std::string sentences;
  for (std::size_t i = 0; i <= kMaxSegments; ++i) sentences += "A b.\n\n";
  EXPECT_EQ(name_of(parse_any(sentences)), "TRANSCRIPT_TOO_LARGE");
}

TEST(Captions, HostileTextsCostLinearTime) {
  const auto started = std::chrono::steady_clock::now();
  const auto repeated = [](std::string_view unit) {
    std::string all;
    while (all.size() < 400'000) all += unit;
    return all;
  };
  for (const auto* unit : {"<a", "<i", "{\\", "&amp", "a>", "&#", "--> ", "a\n", "a\n\n"}) {
    (void)parse_any("WEBVTT\n\n00:01.000 --> 00:02.000\n" + repeated(unit));
    (void)parse_any("00:00:01,000 --> 00:00:02,000\n" + repeated(unit));
    (void)parse_any(repeated(unit));
  }
  (void)parse_any(repeated("00:00:01,000 --> 00:00:02,000\na\nb\n"));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(40));  // a square would take hours
}

Transcript random_transcript(Rng& rng) {
  static const std::initializer_list<std::string_view> kPieces = {
      "word", "42", "Grüße", "世界",   "🎬", "&",   "&amp;", "<",  ">",    "a<c",
      "--",   "->", "NOTE",  "WEBVTT", "1", "{x}", "'",     "\"", "STYLE"};
  Transcript transcript;
  std::int64_t millis = 0;
  const auto count = 1 + rng.next_u64() % 30;
  for (std::uint64_t i = 0; i < count; ++i) {
    Segment segment;
    millis += static_cast<std::int64_t>(rng.next_u64() % 5'000'000);
    segment.start = static_cast<double>(millis) / 1000;
    millis += 1 + static_cast<std::int64_t>(rng.next_u64() % 5'000);
    segment.end = static_cast<double>(millis) / 1000;
    const auto words = 1 + rng.next_u64() % 8;
    for (std::uint64_t j = 0; j < words; ++j) {
      if (j > 0) segment.text += ' ';
      segment.text += kPieces.begin()[rng.next_u64() % kPieces.size()];
    }
    transcript.segments.push_back(segment);
    millis += 1;
  }
  return transcript;
}

TEST(Captions, RoundTrip) {
  SeededRng rng(42);
  for (int i = 0; i < 500; ++i) {
    auto transcript = random_transcript(rng);
    transcript.language = "de";
    for (const auto& written : {write_srt(transcript), write_vtt(transcript)}) {
      const auto again = parse_any(written).value();
      ASSERT_EQ(texts(again), texts(transcript)) << written;
      for (std::size_t j = 0; j < again.segments.size(); ++j) {
        EXPECT_DOUBLE_EQ(again.segments[j].start, transcript.segments[j].start);
        EXPECT_DOUBLE_EQ(again.segments[j].end, transcript.segments[j].end);
      }
    }
    EXPECT_EQ(parse_any(write_vtt(transcript)).value().language, "de");
  }
}

TEST(Captions, AnyBytesGiveASoundTranscriptOrAnError) {
  SeededRng rng(7);
  std::string seed(kSrt);
  seed.append("\n\n").append(write_vtt(random_transcript(rng)));
  for (int i = 0; i < 3000; ++i) {
    auto text = rng.next_u64() % 2 == 0 ? seed : write_vtt(random_transcript(rng));
    for (auto changes = rng.next_u64() % 20; changes > 0; --changes) {
      const auto at = rng.next_u64() % text.size();
      switch (rng.next_u64() % 3) {
        case 0:
          text[at] = static_cast<char>(rng.next_u64() % 128);
          break;
        case 1:
          text.erase(at, rng.next_u64() % 10);
          break;
        default:
          text.insert(at, text.substr(rng.next_u64() % text.size(), rng.next_u64() % 40));
      }
      if (text.empty()) text = "x";
    }
    const auto result = parse_any(text);
    if (result) {
      expect_sound(*result);
    } else {
      EXPECT_TRUE(result.error().public_name().starts_with("TRANSCRIPT_"));
    }
  }
}

}  // namespace
}  // namespace rushes::captions
