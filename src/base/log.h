#pragma once
#include "base/result.h"

#include <fmt/core.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace rushes::log {

// One line an event, to standard error, `time level area: words key=value`. Use as
//   log::info("queue", "job started job={} user={}", job, user);
// Never a token, a secret or a transcript.

enum class Level : std::uint8_t { debug, info, warning, error };

/// Sets the least severe level that is written: trace, debug, info, warning, error, off.
/// Errors: `invalid_argument` for any other word.
Result<void> set_level(std::string_view level);

/// Whether what has this level is written.
bool writes(Level level);

/// Formats and writes, apart from the templates: formatting is compiled once, and not in every file that logs.
void write(Level level, std::string_view area, fmt::string_view words, fmt::format_args args);

template <class... Args>
void debug(std::string_view area, fmt::format_string<Args...> words, Args&&... args) {
  if (writes(Level::debug)) write(Level::debug, area, words, fmt::make_format_args(args...));
}
template <class... Args>
void info(std::string_view area, fmt::format_string<Args...> words, Args&&... args) {
  if (writes(Level::info)) write(Level::info, area, words, fmt::make_format_args(args...));
}
template <class... Args>
void warning(std::string_view area, fmt::format_string<Args...> words, Args&&... args) {
  if (writes(Level::warning)) write(Level::warning, area, words, fmt::make_format_args(args...));
}
template <class... Args>
void error(std::string_view area, fmt::format_string<Args...> words, Args&&... args) {
  if (writes(Level::error)) write(Level::error, area, words, fmt::make_format_args(args...));
}

}  // namespace rushes::log
