#include "app/cli/terminal.h"

#include "base/text.h"

#include <unicode/uchar.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace rushes::app::cli {
namespace {

std::string_view env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

/// Without a locale we take the terminal for what nearly all are; only a named other encoding counts.
bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = to_lower_ascii(env(name));
    if (value.empty()) continue;
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return true;
}

/// The character that `bytes` begins with and its length; -1 and 1 for a byte that is no UTF-8.
/// (ICU's U8_NEXT is a macro that does not pass our warnings.)
std::pair<UChar32, std::size_t> first_character(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes.front());
  const std::size_t length = lead < 0x80U ? 1 : lead < 0xE0U ? 2 : lead < 0xF0U ? 3 : 4;
  const auto whole = bytes.substr(0, length);
  if (!is_utf8(whole)) return {-1, 1};
  constexpr std::array<unsigned, 5> kLeadBits{0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t character = lead & kLeadBits.at(length);
  for (const char c : whole.substr(1)) character = (character << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  return {static_cast<UChar32>(character), length};
}

/// Steps through `text` until `visit` returns false.
template <class Visit>
void each_character(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto [character, length] = first_character(text);
    if (!visit(character, text.substr(0, length))) return;
    text.remove_prefix(length);
  }
}

std::size_t width_of(UChar32 character) {
  if (character < 0) return 1;
  const auto category = u_charType(character);
  if (category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK || category == U_FORMAT_CHAR) return 0;
  const auto wide = u_getIntPropertyValue(character, UCHAR_EAST_ASIAN_WIDTH);
  return wide == U_EA_WIDE || wide == U_EA_FULLWIDTH ? 2 : 1;
}

/// Marks that turn the direction of what follows: a title could disguise the line it stands in.
bool reorders(UChar32 character) {
  return (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069) ||
         character == 0x200E || character == 0x200F || character == 0x061C;
}

}  // namespace

Terminal Terminal::of(std::FILE* stream) {
  Terminal terminal;
  const auto kind = env("TERM");
  terminal.live = ::isatty(::fileno(stream)) == 1 && !kind.empty() && kind != "dumb";
  terminal.colour = terminal.live && env("NO_COLOR").empty();
  terminal.utf8 = utf8_locale();
  return terminal;
}

TerminalSize size_of(std::FILE* stream) {
  TerminalSize size;
  struct winsize window {};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    size.columns = window.ws_col;
    if (window.ws_row > 0) size.rows = window.ws_row;
    return size;
  }
  const int columns = std::atoi(std::string(env("COLUMNS")).c_str());
  if (columns > 0) size.columns = static_cast<std::size_t>(columns);
  return size;
}

std::string paint(const Terminal& terminal, Style style, std::string_view text) {
  constexpr std::array<std::string_view, 7> kCodes{"", "1", "2", "32", "33", "31", "36"};
  if (!terminal.colour || style == Style::plain || text.empty()) return std::string(text);
  std::string painted = "\x1b[";
  painted += kCodes.at(static_cast<std::size_t>(style));
  painted += 'm';
  painted += text;
  return painted += "\x1b[0m";
}

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  each_character(text, [&](UChar32 character, std::string_view bytes) {
    if (character < 0) {
      safe += '?';
    } else if (reorders(character)) {
      return true;
    } else if (u_charType(character) == U_CONTROL_CHAR || character == 0x2028 || character == 0x2029) {
      safe += ' ';
    } else {
      safe += bytes;
    }
    return true;
  });
  return safe;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  each_character(text, [&](UChar32 character, std::string_view) {
    width += width_of(character);
    return true;
  });
  return width;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (columns == 0) return {};
  if (display_width(text) <= columns) return std::string(text);
  std::string cut;
  std::size_t width = 0;
  each_character(text, [&](UChar32 character, std::string_view bytes) {
    const auto more = width_of(character);
    if (width + more > columns - 1) return false;
    width += more;
    cut += bytes;
    return true;
  });
  return cut + "…";
}

std::string pad(std::string_view text, std::size_t columns) {
  auto fitted = fit(text, columns);
  fitted.append(columns - display_width(fitted), ' ');
  return fitted;
}

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  while (from <= text.size()) {
    const auto end = std::min(text.find('\n', from), text.size());
    const auto paragraph = printable(text.substr(from, end - from));
    from = end + 1;
    std::string line;
    std::size_t width = 0;
    std::size_t at = 0;
    while (at < paragraph.size()) {
      const auto begin = paragraph.find_first_not_of(' ', at);
      if (begin == std::string::npos) break;
      at = std::min(paragraph.find(' ', begin), paragraph.size());
      const auto word = std::string_view(paragraph).substr(begin, at - begin);
      const auto word_width = display_width(word);
      if (!line.empty() && width + 1 + word_width > columns) {
        lines.push_back(std::move(line));
        line.clear();
        width = 0;
      }
      if (!line.empty()) {
        line += ' ';
        ++width;
      }
      line += word;
      width += word_width;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace rushes::app::cli
