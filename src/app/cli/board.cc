#include "app/cli/board.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <string_view>

namespace rushes::app::cli {
namespace {

constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::array<int, 3> kEndings{SIGINT, SIGTERM, SIGHUP};

// Of the one board that is there: handlers reach nothing else.
volatile std::sig_atomic_t terminal_fd = -1;
std::array<struct sigaction, kEndings.size()> before{};

extern "C" void give_cursor_back(int signal) {
  static constexpr std::string_view kShowCursor = "\x1b[?25h\n";
  [[maybe_unused]] const auto written = ::write(terminal_fd, kShowCursor.data(), kShowCursor.size());
  // SA_RESETHAND has put the default back: the signal ends us now, with the status that says so.
  ::raise(signal);
}

}  // namespace

Board::Board(std::FILE* stream) : stream_(stream) {
  terminal_fd = ::fileno(stream);
  struct sigaction action {};
  action.sa_handler = give_cursor_back;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < kEndings.size(); ++i) {
    ::sigaction(kEndings.at(i), nullptr, &before.at(i));
    // Who was started with the signal ignored (nohup) goes on ignoring it.
    if (before.at(i).sa_handler != SIG_IGN) ::sigaction(kEndings.at(i), &action, nullptr);
  }
  std::fputs(std::string(kHideCursor).c_str(), stream_);
}

Board::~Board() {
  if (!above_.empty()) show({});
  std::fputs("\x1b[?25h", stream_);
  std::fflush(stream_);
  for (std::size_t i = 0; i < kEndings.size(); ++i) ::sigaction(kEndings.at(i), &before.at(i), nullptr);
}

void Board::show(const std::vector<std::string>& lines) {
  // One write: the terminal never shows half a picture. The cursor rests below the board.
  std::string out;
  if (shown_ > 0) out += "\x1b[" + std::to_string(shown_) + "A";
  out += '\r';
  for (const auto& line : above_) out += line + "\x1b[K\n";
  for (const auto& line : lines) out += line + "\x1b[K\n";
  out += "\x1b[J";
  above_.clear();
  shown_ = lines.size();
  std::fwrite(out.data(), 1, out.size(), stream_);
  std::fflush(stream_);
}

}  // namespace rushes::app::cli
