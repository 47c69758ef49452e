#include "app/cli/progress_bar.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace rushes::app::cli {
namespace {

struct Sign {
  std::string_view utf8;
  std::string_view ascii;
  Style style;
};

Sign sign_of(Mark mark, std::size_t frame) {
  constexpr std::array<std::string_view, 10> kTurning{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
  constexpr std::array<std::string_view, 4> kTurningAscii{"|", "/", "-", "\\"};
  switch (mark) {
    case Mark::waiting:
      return {"·", ".", Style::faint};
    case Mark::working:
      return {kTurning.at(frame % kTurning.size()), kTurningAscii.at(frame % kTurningAscii.size()), Style::cyan};
    case Mark::done:
      return {"✔", "+", Style::green};
    case Mark::failed:
      return {"✘", "x", Style::red};
    case Mark::cancelled:
      return {"■", "o", Style::yellow};
  }
  return {" ", " ", Style::plain};
}

}  // namespace

std::string render_bar(int percent, std::size_t columns, bool utf8) {
  constexpr std::array<std::string_view, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto share = static_cast<std::size_t>(std::clamp(percent, 0, 100));
  const auto eighths = share * columns * 8 / 100;
  const auto whole = eighths / 8;
  std::string bar;
  for (std::size_t i = 0; i < whole; ++i) bar += utf8 ? "█" : "#";
  auto drawn = whole;
  if (utf8 && eighths % 8 != 0) {
    bar += kEighths.at(eighths % 8);
    ++drawn;
  }
  for (; drawn < columns; ++drawn) bar += utf8 ? "░" : "-";
  return bar;
}

std::string render_line(const ProgressLine& line, const Terminal& terminal, std::size_t columns, std::size_t frame) {
  const auto sign = sign_of(line.mark, frame);
  const auto percent = std::to_string(std::clamp(line.percent, 0, 100));

  constexpr std::size_t kMarkAndPercent = 2 + 5;  // "x " and " 57% "
  constexpr std::size_t kLeastText = 26;
  const auto time_width = line.time.empty() ? std::size_t{0} : display_width(line.time) + 1;
  std::size_t left = columns > kMarkAndPercent ? columns - kMarkAndPercent : 0;
  const auto name_width = std::min<std::size_t>({left, 28, std::max<std::size_t>(8, columns / 4)});
  left -= name_width;
  std::size_t bar_width = std::min<std::size_t>(20, columns / 4);
  if (left < bar_width + 1 + kLeastText / 2) bar_width = 0;
  if (bar_width > 0) left -= bar_width + 1;
  const bool with_time = time_width > 0 && left >= time_width + kLeastText;
  if (with_time) left -= time_width;

  std::string out = paint(terminal, sign.style, terminal.utf8 ? sign.utf8 : sign.ascii) + " ";
  out += pad(line.name, name_width);
  if (bar_width > 0) {
    const auto style = line.mark == Mark::waiting ? Style::faint : sign.style;
    out += " " + paint(terminal, style, render_bar(line.percent, bar_width, terminal.utf8));
  }
  out += std::string(4 - std::min<std::size_t>(4, percent.size()), ' ') + percent + "%";
  if (left > 1) {
    const auto text = fit(line.text, left - 1);
    out += " " + (line.mark == Mark::failed ? paint(terminal, Style::red, text) : text);
    if (with_time) {
      out.append(left - 1 - display_width(text), ' ');
      out += " " + paint(terminal, Style::faint, line.time);
    }
  }
  return out;
}

}  // namespace rushes::app::cli
