#include "captions/captions.h"
#include "captions/detail/cues.h"

#include <unicode/brkiter.h>
#include <unicode/unistr.h>

#include <cmath>
#include <memory>

namespace rushes::captions {
namespace {

constexpr double kMaxSegmentDuration = 12;  // seconds: 30 words

/// Cuts what is too long to be shown together at blanks, or between characters where there are none.
class SentenceWriter {
 public:
  /// False once there are too many.
  bool add(std::string_view sentence) {
    if (sentence.size() < 60 || detail::estimate_duration(sentence) <= kMaxSegmentDuration) return put(sentence);
    // Near-equal parts read better than full ones and a rest.
    const auto parts = std::ceil(detail::estimate_duration(sentence) / kMaxSegmentDuration);
    const auto bytes = static_cast<std::size_t>(std::ceil(static_cast<double>(sentence.size()) / parts));
    while (sentence.size() > bytes) {
      auto cut = sentence.find_last_of(' ', bytes);
      if (cut == std::string_view::npos || cut < bytes / 2) {
        cut = bytes;
        while (cut > 0 && (static_cast<unsigned char>(sentence[cut]) & 0xC0U) == 0x80U) --cut;
      }
      if (cut == 0) break;
      if (!put(sentence.substr(0, cut))) return false;
      sentence.remove_prefix(sentence[cut] == ' ' ? cut + 1 : cut);
    }
    return put(sentence);
  }

  std::vector<Segment> take() { return std::move(segments_); }

 private:
  bool put(std::string_view text) {
    if (text.empty()) return true;
    if (segments_.size() == kMaxSegments) return false;
    const auto start = segments_.empty() ? 0 : segments_.back().end;
    const auto end = std::round((start + detail::estimate_duration(text)) * 1000) / 1000;
    segments_.push_back({start, end, std::string(text)});
    return true;
  }

  std::vector<Segment> segments_;
};

}  // namespace

Result<Transcript> parse_text(std::string_view text) {
  const auto checked = detail::check_text(text);
  if (!checked) return checked.error();

  UErrorCode status = U_ZERO_ERROR;
  // ss=standard keeps "Mr." and the like together.
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createSentenceInstance(icu::Locale("en@ss=standard"), status));
  if (U_FAILURE(status))
    return Error(Errc::internal, std::string("captions: no sentence breaks: ") + u_errorName(status));

  // Texts are often wrapped at a column: only a blank line ends a sentence, the end of a line does not.
  SentenceWriter writer;
  std::string paragraph;
  const auto end_paragraph = [&] {
    const auto unicode = icu::UnicodeString::fromUTF8(detail::clean(paragraph));
    paragraph.clear();
    breaks->setText(unicode);
    for (auto from = breaks->first(), to = breaks->next(); to != icu::BreakIterator::DONE;
         from = to, to = breaks->next()) {
      std::string sentence;
      unicode.tempSubStringBetween(from, to).toUTF8String(sentence);
      if (!writer.add(detail::clean(sentence))) return false;
    }
    return true;
  };
  detail::LineReader lines(*checked);
  for (std::string_view line; lines.next(line);) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) {
      if (!end_paragraph()) return detail::too_many_error();
    } else {
      paragraph.append(line).append(" ");
    }
  }
  if (!end_paragraph()) return detail::too_many_error();

  Transcript transcript;
  transcript.timed = false;
  transcript.segments = writer.take();
  if (transcript.empty()) return detail::empty_error();
  return transcript;
}

Format detect_format(std::string_view text) noexcept {
  constexpr std::size_t kHead = 4096;
  constexpr int kLines = 20;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto head = text.substr(0, kHead);
  if (head.starts_with("WEBVTT") &&
      (head.size() == 6 || std::string_view(" \t\r\n").find(head[6]) != std::string_view::npos)) {
    return Format::vtt;
  }
  detail::LineReader lines(head);
  std::string_view line;
  for (int i = 0; i < kLines && lines.next(line); ++i) {
    if (detail::parse_timing(line)) return Format::srt;
  }
  return Format::text;
}

Result<Transcript> parse_any(std::string_view text) {
  switch (detect_format(text)) {
    case Format::vtt:
      return parse_vtt(text);
    case Format::srt:
      return parse_srt(text);
    case Format::text:
      break;
  }
  return parse_text(text);
}

}  // namespace rushes::captions
