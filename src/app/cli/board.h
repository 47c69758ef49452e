#pragma once
#include "app/cli/terminal.h"

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace rushes::app::cli {

/// Lines at the bottom of the terminal that are drawn again in place, with the cursor hidden.
///
/// The cursor comes back when the board goes, and when the program is ended by SIGINT, SIGTERM or SIGHUP
/// in between (it then ends by that signal, as a shell expects).
///
/// Threads: single-owner; one at a time in a process.
class Board {
 public:
  /// `stream` is a live terminal and outlives it.
  explicit Board(std::FILE* stream);
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  ~Board();

  /// Shows `lines`, none wider than the terminal, in place of what the board shows.
  void show(const std::vector<std::string>& lines);

  /// Writes a line that stays, above the board. Visible with the next `show`.
  void print_above(std::string line) { above_.push_back(std::move(line)); }

 private:
  std::FILE* stream_;
  std::size_t shown_ = 0;  // lines of the board that are on the terminal
  std::vector<std::string> above_;
};

}  // namespace rushes::app::cli
