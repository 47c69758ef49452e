// Captions: whatever the file, the segments are sound; and written as WebVTT or SubRip they come back.
#include "captions/captions.h"

#include "base/text.h"
#include "require.h"

#include <algorithm>
#include <cmath>
#include <string>

using namespace rushes;
using fuzz::require;

namespace {

void check_sound(const captions::Transcript& transcript) {
  double last = 0;
  require(!transcript.empty(), "no transcript is empty");
  for (const auto& segment : transcript.segments) {
    require(segment.start >= last && segment.end >= segment.start, "segments rise and do not overlap");
    require(segment.end <= 360'000, "times have a bound");
    require(!segment.text.empty() && is_utf8(segment.text), "a segment has a text");
    require(std::none_of(segment.text.begin(), segment.text.end(), [](char c) { return c >= 0 && c < 0x20; }),
            "a text is one line");
    last = segment.end;
  }
}

bool says_the_same(const captions::Transcript& a, const captions::Transcript& b) {
  const auto same_time = [](double x, double y) { return std::abs(x - y) < 0.0015; };
  return std::equal(a.segments.begin(), a.segments.end(), b.segments.begin(), b.segments.end(),
                    [&](const auto& x, const auto& y) {
                      return same_time(x.start, y.start) && same_time(x.end, y.end) && x.text == y.text;
                    });
}

void check(const Result<captions::Transcript>& transcript) {
  if (!transcript) return;
  check_sound(*transcript);
  const auto vtt = captions::parse_vtt(captions::write_vtt(*transcript));
  require(vtt.has_value() && says_the_same(*transcript, *vtt), "WebVTT gives the segments back");
  // SubRip cannot say everything.
  const bool plain = std::none_of(transcript->segments.begin(), transcript->segments.end(), [](const auto& segment) {
    return segment.text.find_first_of("<{") != std::string::npos || segment.text.find("-->") != std::string::npos;
  });
  if (!plain) return;
  const auto srt = captions::parse_srt(captions::write_srt(*transcript));
  require(srt.has_value() && says_the_same(*transcript, *srt), "SubRip gives the segments back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  check(captions::parse_srt(text));
  check(captions::parse_vtt(text));
  check(captions::parse_any(text));
  return 0;
}
