#include "base/text.h"
#include "captions/captions.h"
#include "captions/detail/cues.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace rushes::captions {
namespace {

using detail::Cue;

struct Entity {
  std::string_view name;
  std::string_view text;
};
constexpr std::array<Entity, 8> kEntities{
    {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}, {"lrm", ""}, {"rlm", ""}}};

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0U | c >> 6U);
    put(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    put(0xE0U | c >> 12U);
    put(0x80U | (c >> 6U & 0x3FU));
    put(0x80U | (c & 0x3FU));
  } else {
    put(0xF0U | c >> 18U);
    put(0x80U | (c >> 12U & 0x3FU));
    put(0x80U | (c >> 6U & 0x3FU));
    put(0x80U | (c & 0x3FU));
  }
}

/// Appends what `&name;` stands for. False where it stands for nothing.
bool append_entity(std::string& out, std::string_view name) {
  for (const auto& entity : kEntities) {
    if (entity.name == name) {
      out += entity.text;
      return true;
    }
  }
  if (!name.starts_with('#') || name.size() < 2) return false;
  name.remove_prefix(1);
  int base = 10;
  if (name.front() == 'x' || name.front() == 'X') {
    name.remove_prefix(1);
    base = 16;
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value, base);
  if (error != std::errc() || end != name.data() + name.size()) return false;
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
  append_utf8(out, value);
  return true;
}

bool starts_tag(char c) noexcept {
  return c == '/' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
}

/// The words of a cue's line. Sets `inline_time` where a tag is a time, as automatic captions have them.
std::string without_markup(std::string_view line, bool& inline_time) {
  std::string out;
  out.reserve(line.size());
  const auto last_close = line.rfind('>');  // tells that no tag can end behind it: stays linear
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] == '<' && i + 1 < line.size() && starts_tag(line[i + 1]) && last_close != std::string_view::npos &&
        i < last_close) {
      if (line[i + 1] >= '0' && line[i + 1] <= '9') inline_time = true;
      i = line.find('>', i) + 1;
      continue;
    }
    if (line[i] == '&') {
      constexpr std::size_t kMaxName = 10;
      const auto end = line.substr(i, kMaxName).find(';');
      if (end != std::string_view::npos && append_entity(out, line.substr(i + 1, end - 1))) {
        i += end + 1;
        continue;
      }
    }
    out += line[i++];
  }
  return out;
}

/// A BCP 47 tag: letters, digits and hyphens.
bool is_language(std::string_view tag) noexcept {
  return tag.size() >= 2 && tag.size() <= 35 && std::all_of(tag.begin(), tag.end(), [](char c) {
           return c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

bool is_arrow(std::string_view line) noexcept { return line.find("-->") != std::string_view::npos; }

/// Reads up to the blank line that ends the header, or up to the first cue. Gives the language it names.
std::string read_header(detail::LineReader& lines) {
  std::string language;
  std::string_view line;
  lines.next(line);  // WEBVTT
  while (lines.next(line) && !line.empty()) {
    if (is_arrow(line)) {
      lines.put_back(line);
      break;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !equals_ignore_case(trim(line.substr(0, colon)), "language")) continue;
    const auto tag = trim(line.substr(colon + 1));
    if (is_language(tag)) language = tag;
  }
  return language;
}

std::string vtt_time(double seconds) {
  const auto millis = std::llround(std::clamp(seconds, 0.0, detail::kMaxTime) * 1000);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", millis / 3'600'000, millis / 60'000 % 60, millis / 1000 % 60,
                     millis % 1000);
}

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Result<Transcript> parse_vtt(std::string_view text) {
  const auto checked = detail::check_text(text);
  if (!checked) return checked.error();

  Transcript transcript;
  detail::LineReader lines(*checked);
  transcript.language = read_header(lines);

  // Only a timing line starts a cue, and only an empty line or the next timing ends it. All that stands outside of
  // cues (ids, NOTE, STYLE, REGION) is thereby passed over.
  std::vector<Cue> cues;
  bool in_cue = false;
  bool in_comment = false;
  bool after_blank = true;
  bool inline_times = false;
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) {
      in_cue = in_comment = false;
      after_blank = true;
      continue;
    }
    if (std::exchange(after_blank, false)) {
      in_comment = line == "NOTE" || line.starts_with("NOTE ") || line.starts_with("NOTE\t");
    }
    if (in_comment) continue;
    if (is_arrow(line)) {
      const auto timing = detail::parse_timing(line);
      in_cue = timing.has_value();
      if (!timing) continue;
      if (cues.size() == kMaxSegments) return detail::too_many_error();
      cues.push_back({timing->start, timing->end, {}});
      continue;
    }
    if (!in_cue) continue;
    auto words = detail::clean(without_markup(line, inline_times));
    if (!words.empty()) cues.back().lines.push_back(std::move(words));
  }
  std::erase_if(cues, [](const Cue& cue) { return cue.lines.empty(); });
  detail::unroll(cues, inline_times);
  auto segments = detail::to_segments(std::move(cues));
  if (!segments) return segments.error();
  transcript.segments = std::move(*segments);
  return transcript;
}

std::string write_vtt(const Transcript& transcript) {
  std::string out = "WEBVTT\n";
  if (is_language(transcript.language)) fmt::format_to(std::back_inserter(out), "Language: {}\n", transcript.language);
  out += '\n';
  for (const auto& segment : transcript.segments) {
    const auto text = detail::clean(segment.text);
    if (text.empty()) continue;
    fmt::format_to(std::back_inserter(out), "{} --> {}\n{}\n\n", vtt_time(segment.start), vtt_time(segment.end),
                   escape(text));
  }
  return out;
}

}  // namespace rushes::captions
