#include "captions/detail/cues.h"

#include "base/text.h"
#include "captions/captions.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace rushes::captions::detail {
namespace {

constexpr double kWordsPerSecond = 150.0 / 60;
constexpr double kTouching = 0.1;  // seconds between two cues of one rolling caption

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Takes a number of at most `max_digits` digits off the front.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t max_digits) noexcept {
  std::size_t digits = 0;
  std::int64_t value = 0;
  while (digits < text.size() && is_digit(text[digits])) {
    if (digits == max_digits) return std::nullopt;
    value = value * 10 + (text[digits++] - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) noexcept {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

void skip_blanks(std::string_view& text) noexcept {
  while (take(text, ' ') || take(text, '\t')) {
  }
}

std::optional<double> take_time(std::string_view& text) noexcept {
  const auto first = take_number(text, 6);
  if (!first || !take(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second) return std::nullopt;
  std::int64_t hours = 0;
  std::int64_t minutes = *first;
  std::int64_t seconds = *second;
  if (take(text, ':')) {
    const auto third = take_number(text, 2);
    if (!third) return std::nullopt;
    hours = *first;
    minutes = *second;
    seconds = *third;
  }
  if (minutes > 59 || seconds > 59) return std::nullopt;
  std::int64_t millis = 0;
  if (take(text, '.') || take(text, ',')) {
    const auto before = text.size();
    const auto fraction = take_number(text, 9);
    if (!fraction) return std::nullopt;
    millis =
        std::llround(static_cast<double>(*fraction) * 1000 / std::pow(10, static_cast<double>(before - text.size())));
  }
  // From whole milliseconds, so that writing it out gives the same digits.
  const auto time = static_cast<double>(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis) / 1000;
  if (time > kMaxTime) return std::nullopt;
  return time;
}

/// Length in bytes of the character at `text[i]`; `text` is well-formed.
std::size_t char_length(std::string_view text, std::size_t i) noexcept {
  const auto lead = static_cast<unsigned char>(text[i]);
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

std::uint32_t code_point(std::string_view character) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    case 3:
      return (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    default:
      return (byte(0) & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU);
  }
}

bool is_blank(std::uint32_t c) noexcept {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// Controls, and what can neither be seen nor heard: zero-width space, bidirectional overrides (they can disguise
/// text), byte order marks. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
bool is_invisible(std::uint32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x200B || c == 0x200E || c == 0x200F ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
}

bool is_ideograph(std::uint32_t c) noexcept {
  return (c >= 0x3041 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

/// How many of the last lines of `before` are the first lines of `after`.
std::size_t overlap(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  // Captions have few lines; a cue with many is no rolling one, and comparing it would cost its square.
  constexpr std::size_t kMaxLines = 4;
  for (auto count = std::min({before.size(), after.size(), kMaxLines}); count > 0; --count) {
    if (std::equal(before.end() - static_cast<std::ptrdiff_t>(count), before.end(), after.begin())) return count;
  }
  return 0;
}

bool touches(const Cue& before, const Cue& after) noexcept {
  return after.start >= before.start && after.start - before.end < kTouching;
}

std::string join(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines) {
    if (!all.empty()) all += ' ';
    all += line;
  }
  return all;
}

}  // namespace

bool LineReader::next(std::string_view& line) {
  if (again_) {
    line = *std::exchange(again_, std::nullopt);
    return true;
  }
  if (rest_.empty()) return false;
  const auto end = std::min(rest_.find_first_of("\r\n"), rest_.size());
  line = rest_.substr(0, end);
  rest_.remove_prefix(end);
  if (rest_.starts_with("\r\n")) {
    rest_.remove_prefix(2);
  } else if (!rest_.empty()) {
    rest_.remove_prefix(1);
  }
  return true;
}

std::optional<Timing> parse_timing(std::string_view line) noexcept {
  skip_blanks(line);
  const auto start = take_time(line);
  if (!start) return std::nullopt;
  skip_blanks(line);
  if (!line.starts_with("-->")) return std::nullopt;
  line.remove_prefix(3);
  skip_blanks(line);
  const auto end = take_time(line);
  if (!end) return std::nullopt;
  if (!line.empty() && line.front() != ' ' && line.front() != '\t') return std::nullopt;
  return Timing{*start, *end};
}

std::string clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool blank = false;
  for (std::size_t i = 0; i < text.size();) {
    const auto character = text.substr(i, char_length(text, i));
    i += character.size();
    const auto c = code_point(character);
    if (is_blank(c)) {
      blank = !out.empty();
    } else if (!is_invisible(c)) {
      if (std::exchange(blank, false)) out += ' ';
      out += character;
    }
  }
  return out;
}

Result<std::string_view> check_text(std::string_view text) {
  if (!is_utf8(text)) {
    return Error::for_user(Errc::invalid_argument, "TRANSCRIPT_NOT_UTF8",
                           "The transcript is not UTF-8 text; save it with the encoding UTF-8 and send it again.");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (trim(text).empty()) return empty_error();
  return text;
}

Error empty_error() {
  return Error::for_user(Errc::invalid_argument, "TRANSCRIPT_EMPTY",
                         "The transcript has no words; send plain text, SRT or WebVTT with what is said.");
}

Error too_many_error() {
  return Error::for_user(
      Errc::too_large, "TRANSCRIPT_TOO_LARGE",
      "The transcript has more than " + std::to_string(kMaxSegments) + " captions or sentences; send it in parts.");
}

void unroll(std::vector<Cue>& cues, bool has_inline_times) {
  // Rolling captions show the old line above the new one. Captions that only repeat a phrase never do.
  std::size_t rolled = 0;
  for (std::size_t i = 1; i < cues.size(); ++i) {
    const auto same = overlap(cues[i - 1].lines, cues[i].lines);
    rolled += same > 0 && same < cues[i].lines.size() && touches(cues[i - 1], cues[i]) ? 1 : 0;
  }
  if (rolled == 0 || (!has_inline_times && (rolled < 2 || rolled * 4 < cues.size() - 1))) return;

  std::vector<Cue> kept;
  kept.reserve(cues.size());
  Cue shown;  // what stood on the screen before
  for (auto& cue : cues) {
    const auto same = kept.empty() || !touches(shown, cue) ? 0 : overlap(shown.lines, cue.lines);
    if (same == cue.lines.size() && same > 0) {
      kept.back().end = std::max(kept.back().end, cue.end);
      shown = std::move(cue);
      continue;
    }
    shown = cue;
    cue.lines.erase(cue.lines.begin(), cue.lines.begin() + static_cast<std::ptrdiff_t>(same));
    kept.push_back(std::move(cue));
  }
  cues = std::move(kept);
}

Result<std::vector<Segment>> to_segments(std::vector<Cue> cues) {
  std::erase_if(cues, [](const Cue& cue) { return cue.lines.empty(); });
  if (cues.empty()) return empty_error();
  std::stable_sort(cues.begin(), cues.end(), [](const Cue& a, const Cue& b) { return a.start < b.start; });
  std::vector<Segment> segments;
  segments.reserve(cues.size());
  for (const auto& cue : cues) {
    auto text = join(cue.lines);
    if (!segments.empty() && segments.back().start == cue.start) {
      auto& last = segments.back();
      last.end = std::max(last.end, cue.end);
      if (last.text != text) last.text.append(" ").append(text);
      continue;
    }
    segments.push_back({cue.start, cue.end, std::move(text)});
  }
  for (std::size_t i = 0; i < segments.size(); ++i) {
    auto& segment = segments[i];
    if (segment.end <= segment.start) segment.end = segment.start + estimate_duration(segment.text);
    if (i + 1 < segments.size()) segment.end = std::min(segment.end, segments[i + 1].start);
    segment.end = std::min(std::round(segment.end * 1000) / 1000, kMaxTime);
  }
  return segments;
}

double estimate_duration(std::string_view text) noexcept {
  // Chinese and Japanese have no blanks; one of their words is about 1.7 characters long.
  double words = 0;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size();) {
    const auto character = text.substr(i, char_length(text, i));
    i += character.size();
    const auto c = code_point(character);
    if (is_ideograph(c)) {
      words += 1 / 1.7;
      in_word = false;
    } else if (c == ' ') {
      in_word = false;
    } else if (!std::exchange(in_word, true)) {
      words += 1;
    }
  }
  return std::max(words, 0.5) / kWordsPerSecond;
}

}  // namespace rushes::captions::detail
