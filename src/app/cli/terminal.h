#pragma once
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::app::cli {

/// What the place that output goes to can show. A value.
struct Terminal {
  bool live = false;    // lines can be drawn again: a terminal, and not a dumb one
  bool colour = false;  // live, and NO_COLOR (no-color.org) is not set
  bool utf8 = true;     // unless the locale names another encoding

  /// Looks at `stream` and the environment.
  static Terminal of(std::FILE* stream);
};

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// The size now (it may change); COLUMNS, then 80 × 24, where there is no terminal.
TerminalSize size_of(std::FILE* stream);

enum class Style : unsigned char { plain, bold, faint, green, yellow, red, cyan };

/// `text` in `style`, where colours can be shown.
std::string paint(const Terminal& terminal, Style style, std::string_view text);

/// What came from outside, made safe to print: control characters, escape sequences' starts and
/// marks that reorder text become spaces or vanish; bytes that are not UTF-8 become `?`.
std::string printable(std::string_view text);

/// Columns that `text` (UTF-8, printable) takes on a terminal: two for wide characters, none for combining ones.
std::size_t display_width(std::string_view text);

/// At most `columns` columns of `text`, ending in `…` where something was cut.
std::string fit(std::string_view text, std::size_t columns);

/// `text` cut to or filled with spaces up to exactly `columns` columns.
std::string pad(std::string_view text, std::size_t columns);

/// `text` as lines of at most `columns` columns, broken at spaces; its own line breaks stay.
/// A longer word keeps a line of its own.
std::vector<std::string> wrap(std::string_view text, std::size_t columns);

}  // namespace rushes::app::cli
