#pragma once
#include "app/cli/terminal.h"

#include <cstddef>
#include <string>

namespace rushes::app::cli {

/// What stands at the start of a line.
enum class Mark : unsigned char { waiting, working, done, failed, cancelled };

/// One piece of work, as one line shows it.
struct ProgressLine {
  Mark mark = Mark::waiting;
  std::string name;  // printable
  int percent = 0;   // 0..100; outside is taken as the nearer end
  std::string text;  // printable: what is being done
  std::string time;  // how long it has taken; may be empty
};

/// A bar of exactly `columns` columns, filled to an eighth of a column in UTF-8, else `#####-----`.
std::string render_bar(int percent, std::size_t columns, bool utf8);

/// The line within `columns` columns, colours not counted. What is least telling goes first where
/// there is little room: the time, then the bar, then the text. `frame` turns the working mark.
std::string render_line(const ProgressLine& line, const Terminal& terminal, std::size_t columns, std::size_t frame);

}  // namespace rushes::app::cli
