#include "base/text.h"
#include "captions/captions.h"
#include "captions/detail/cues.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace rushes::captions {
namespace {

using detail::Cue;

constexpr std::array<std::string_view, 5> kTags{"i", "b", "u", "s", "font"};

/// Whether `tag`, the inside of `<…>`, is one that SubRip files use; all else is text, as in "if a < b".
bool is_srt_tag(std::string_view tag) {
  if (tag.starts_with('/')) tag.remove_prefix(1);
  const auto name = tag.substr(0, tag.find(' '));
  return std::any_of(kTags.begin(), kTags.end(),
                     [&](std::string_view known) { return equals_ignore_case(name, known); });
}

std::string without_markup(std::string_view line) {
  constexpr std::size_t kMaxTag = 200;  // keeps many a "<" without its ">" linear
  std::string out;
  out.reserve(line.size());
  for (std::size_t i = 0; i < line.size();) {
    const auto rest = line.substr(i, kMaxTag);
    if (rest.starts_with('<')) {
      const auto end = rest.find('>');
      if (end != std::string_view::npos && is_srt_tag(rest.substr(1, end - 1))) {
        i += end + 1;
        continue;
      }
    } else if (rest.starts_with("{\\")) {
      const auto end = rest.find('}');
      if (end != std::string_view::npos) {
        i += end + 1;
        continue;
      }
    }
    out += line[i++];
  }
  return out;
}

bool is_number(std::string_view line) noexcept {
  const auto digits = trim(line);
  return !digits.empty() && digits.size() <= 9 && digits.find_first_not_of("0123456789") == std::string_view::npos;
}

/// A timing line gone wrong: its cue has no time and is passed over.
bool is_broken_timing(std::string_view line) noexcept {
  line = trim(line);
  return !line.empty() && line.front() >= '0' && line.front() <= '9' && line.find("-->") != std::string_view::npos;
}

/// `text` without `-->`, which would start a cue.
std::string without_arrows(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '>' && out.ends_with("--")) out.erase(out.find_last_not_of('-') + 2);
    out += c;
  }
  return out;
}

std::string srt_time(double seconds) {
  const auto millis = std::llround(std::clamp(seconds, 0.0, detail::kMaxTime) * 1000);
  return fmt::format("{:02}:{:02}:{:02},{:03}", millis / 3'600'000, millis / 60'000 % 60, millis / 1000 % 60,
                     millis % 1000);
}

}  // namespace

Result<Transcript> parse_srt(std::string_view text) {
  const auto checked = detail::check_text(text);
  if (!checked) return checked.error();

  // Timing lines are the anchors: blank lines inside a text and missing ones between cues occur in real files. So
  // the number of a cue is known only once its timing line comes.
  std::vector<Cue> cues;
  bool last_is_number = false;
  bool in_cue = false;
  detail::LineReader lines(*checked);
  for (std::string_view line; lines.next(line);) {
    if (const auto timing = detail::parse_timing(line)) {
      if (last_is_number) cues.back().lines.pop_back();
      if (cues.size() == kMaxSegments) return detail::too_many_error();
      cues.push_back({timing->start, timing->end, {}});
      last_is_number = false;
      in_cue = true;
      continue;
    }
    if (is_broken_timing(line)) {
      if (last_is_number) cues.back().lines.pop_back();
      last_is_number = in_cue = false;
    }
    if (!in_cue) continue;
    auto words = detail::clean(without_markup(line));
    last_is_number = !words.empty() && is_number(line);
    if (!words.empty()) cues.back().lines.push_back(std::move(words));
  }
  std::erase_if(cues, [](const Cue& cue) { return cue.lines.empty(); });
  detail::unroll(cues, false);
  auto segments = detail::to_segments(std::move(cues));
  if (!segments) return segments.error();
  Transcript transcript;
  transcript.segments = std::move(*segments);
  return transcript;
}

std::string write_srt(const Transcript& transcript) {
  std::string out;
  std::size_t number = 0;
  for (const auto& segment : transcript.segments) {
    const auto text = without_arrows(detail::clean(segment.text));
    if (text.empty()) continue;
    fmt::format_to(std::back_inserter(out), "{}\n{} --> {}\n{}\n\n", ++number, srt_time(segment.start),
                   srt_time(segment.end), text);
  }
  return out;
}

}  // namespace rushes::captions
