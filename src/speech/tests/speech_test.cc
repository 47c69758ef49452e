#include "media/testing/sample_files.h"
#include "speech/detail/chunks.h"
#include "speech/detail/mask.h"
#include "speech/detail/segments.h"
#include "speech/pocketsphinx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <sstream>

namespace rushes::speech {
namespace {

using media::testing::make_speech;
using media::testing::make_with_ffmpeg;
using ::testing::ElementsAre;

constexpr const char* kFirst =
    "A film editor watches every shot before the first cut is made. The best takes are marked, and the rest are put "
    "away.";
constexpr const char* kSecond =
    "In the morning the director comes in and asks for a longer version of the opening scene.";

std::vector<std::string> words_of(std::string text) {
  std::vector<std::string> words;
  for (char& c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'';
    c = letter ? static_cast<char>(c | (c == '\'' ? 0 : 0x20)) : ' ';
  }
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// Words to change, to add or to leave out, as a part of those said.
double word_error_rate(const std::vector<std::string>& said, const std::vector<std::string>& heard) {
  std::vector<std::size_t> row(heard.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= said.size(); ++i) {
    auto corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= heard.size(); ++j) {
      const auto change = corner + (said[i - 1] == heard[j - 1] ? 0 : 1);
      corner = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return static_cast<double>(row.back()) / static_cast<double>(said.size());
}

captions::Transcript transcribe(Transcriber& engine, const std::filesystem::path& path, const Progress& progress = {}) {
  auto audio = media::AudioReader::open(path).value();
  return engine.transcribe(*audio, progress).value();
}

void expect_sound(const captions::Transcript& transcript) {
  double last = 0;
  for (const auto& word : transcript.words) {
    EXPECT_GE(word.start, last);
    EXPECT_GE(word.end, word.start);
    EXPECT_GE(word.confidence, 0);
    EXPECT_LE(word.confidence, 1);
    EXPECT_EQ(word.text.find_first_of("()<>[] "), std::string::npos) << word.text;
    last = word.end;
  }
  last = 0;
  for (const auto& segment : transcript.segments) {
    EXPECT_GE(segment.start, last);
    EXPECT_LE(segment.end - segment.start, 7);
    EXPECT_LE(segment.text.size(), 84U);
    last = segment.end;
  }
}

TEST(Pocketsphinx, UnderstandsSpeechAndKnowsWhen) {
  // 1.5 s of silence, the first text, 3 s of silence, the second: 25 s, so it is cut once.
  const auto first = make_speech(kFirst);
  const auto second = make_speech(kSecond);
  const auto video = make_with_ffmpeg(
      {"-i", first.string(), "-i", second.string(), "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10:duration=18",
       "-filter_complex", "[0:a]adelay=1500:all=1,apad=pad_dur=3[a];[a][1:a]concat=n=2:v=0:a=1[out]", "-map", "[out]",
       "-map", "2:v", "-c:a", "aac"},
      "mp4");
  const auto first_length = media::AudioReader::open(first).value()->duration();
  auto engine = make_pocketsphinx().value();
  std::vector<double> steps;
  double total = 0;
  const auto transcript = transcribe(*engine, video, [&](double done, double of) {
    steps.push_back(done);
    total = of;
  });

  expect_sound(transcript);
  EXPECT_EQ(transcript.language, "en");
  EXPECT_TRUE(transcript.timed);
  const auto rate = word_error_rate(words_of(std::string(kFirst) + " " + kSecond), words_of(transcript.text()));
  std::cout << "word error rate " << rate << '\n';
  EXPECT_LT(rate, 0.30) << transcript.text();

  EXPECT_NEAR(transcript.words.front().start, 1.5, 0.5);
  // The long pause lies where it was put.
  double pause = 0;
  double pause_from = 0;
  double pause_to = 0;
  for (std::size_t i = 1; i < transcript.words.size(); ++i) {
    const auto length = transcript.words[i].start - transcript.words[i - 1].end;
    if (length <= pause) continue;
    pause = length;
    pause_from = transcript.words[i - 1].end;
    pause_to = transcript.words[i].start;
  }
  EXPECT_NEAR(pause_from, 1.5 + first_length, 0.5);
  EXPECT_NEAR(pause_to, 1.5 + first_length + 3, 0.5);
  const auto spans_pause = [&](const captions::Segment& s) { return s.start < pause_from && s.end > pause_to; };
  EXPECT_TRUE(std::none_of(transcript.segments.begin(), transcript.segments.end(), spans_pause));

  EXPECT_GE(steps.size(), 2U);
  EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end()));
  EXPECT_DOUBLE_EQ(steps.back(), total);
}

TEST(Pocketsphinx, OneDecoderServesManyRecordings) {
  const auto speech = make_speech(kSecond, "rms");
  auto engine = make_pocketsphinx().value();
  const auto before = transcribe(*engine, speech);
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(engine->engine(), "pocketsphinx");
  const auto silence = make_with_ffmpeg({"-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "20"}, "wav");
  EXPECT_TRUE(transcribe(*engine, silence).empty());
  EXPECT_EQ(transcribe(*engine, speech).text(), before.text());
}

void expect_equal(const captions::Transcript& a, const captions::Transcript& b) {
  ASSERT_EQ(a.words.size(), b.words.size()) << a.text() << '\n' << b.text();
  for (std::size_t i = 0; i < a.words.size(); ++i) {
    EXPECT_EQ(a.words[i].text, b.words[i].text);
    EXPECT_EQ(a.words[i].start, b.words[i].start);
    EXPECT_EQ(a.words[i].end, b.words[i].end);
    EXPECT_EQ(a.words[i].confidence, b.words[i].confidence);
  }
}

TEST(Pocketsphinx, PreparedOrUsedItHearsTheSame) {
  const auto speech = make_speech("The best takes are marked.", "rms");
  const auto expected = transcribe(*make_pocketsphinx().value(), speech);
  EXPECT_FALSE(expected.empty());
  auto engine = make_pocketsphinx().value();
  ASSERT_TRUE(engine->prepare());
  ASSERT_TRUE(engine->prepare());  // does nothing more
  expect_equal(transcribe(*engine, speech), expected);
  // A recording leaves nothing for the next, such as the mean that loud noise has.
  (void)transcribe(*engine, make_with_ffmpeg({"-f", "lavfi", "-i", "anoisesrc=duration=2:amplitude=0.9"}, "wav"));
  expect_equal(transcribe(*engine, speech), expected);
}

TEST(Pocketsphinx, MusicAndNoiseAreNoErrors) {
  auto engine = make_pocketsphinx().value();
  for (const std::string source : {"sine=frequency=220:duration=2", "anoisesrc=duration=2:amplitude=0.1",
                                   "aevalsrc=sin(440*2*PI*t)*sin(3*t)+0.3*sin(660*2*PI*t):d=2"}) {
    expect_sound(transcribe(*engine, make_with_ffmpeg({"-f", "lavfi", "-i", source}, "wav")));
  }
  // Shorter than anything that could be decoded.
  expect_sound(transcribe(*engine, make_with_ffmpeg({"-f", "lavfi", "-i", "sine=duration=0.005"}, "wav")));
}

TEST(Pocketsphinx, SaysWhatIsMissing) {
  PocketsphinxOptions options;
  options.model = "/nonexistent";
  const auto engine = make_pocketsphinx(options);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().public_name(), "SPEECH_MODEL_MISSING");
  EXPECT_THAT(std::string(engine.error().public_message()), ::testing::HasSubstr("pocketsphinx-en-us"));
}

TEST(Pocketsphinx, KeepsQuiet) {
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  auto engine = make_pocketsphinx().value();
  (void)transcribe(*engine, make_with_ffmpeg({"-f", "lavfi", "-i", "sine=duration=1"}, "wav"));
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Chunks, AreCutWhereItIsQuiet) {
  // 40 s of tone that is silent from 12.0 to 12.4 s and from 24.0 to 24.4 s.
  const auto file = make_with_ffmpeg(
      {"-f", "lavfi", "-i", "sine=duration=40,volume=0:enable='between(t,12,12.4)+between(t,24,24.4)'", "-ar", "16000"},
      "wav");
  auto audio = media::AudioReader::open(file).value();
  detail::ChunkReader chunks(*audio);
  std::vector<double> starts;
  std::size_t samples = 0;
  for (;;) {
    const auto chunk = chunks.next().value();
    if (chunk.empty()) break;
    EXPECT_LE(chunk.size(), 15U * 16'000);
    EXPECT_EQ(chunks.start(), static_cast<double>(samples) / 16'000);
    samples += chunk.size();
    starts.push_back(chunks.start());
  }
  EXPECT_EQ(samples, 40U * 16'000);
  ASSERT_GE(starts.size(), 3U);
  EXPECT_NEAR(starts[1], 12.2, 0.25);
  EXPECT_NEAR(starts[2], 24.2, 0.25);
}

TEST(Segments, AreReadable) {
  std::vector<captions::Word> words;
  double time = 0;
  for (int i = 0; i < 300; ++i) {
    words.push_back({time, time + 0.3, i % 7 == 0 ? "considerable" : "word", 1});
    time += i % 50 == 49 ? 1.5 : 0.35;
  }
  const auto segments = detail::to_segments(words);
  std::size_t total = 0;
  for (const auto& segment : segments) {
    EXPECT_LE(segment.text.size(), 84U);
    EXPECT_LE(segment.end - segment.start, 7);
    EXPECT_GT(segment.text.size(), 20U);
    total += words_of(segment.text).size();
  }
  EXPECT_EQ(total, 300U);
  EXPECT_TRUE(detail::to_segments({}).empty());
}

TEST(Mask, HidesObscenitiesOnly) {
  EXPECT_EQ(detail::mask_obscenity("fucking"), "f******");
  EXPECT_EQ(detail::mask_obscenity("shit"), "s***");
  EXPECT_EQ(detail::mask_obscenity("cocktail"), "cocktail");
  EXPECT_EQ(detail::mask_obscenity("class"), "class");
}

}  // namespace
}  // namespace rushes::speech
