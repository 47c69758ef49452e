#pragma once
#include "base/result.h"

#include <spdlog/spdlog.h>

#include <string_view>

namespace rushes::log {

// One line an event, to standard error, `time level area: words key=value`. Use as
//   log::info("queue", "job started job={} user={}", job, user);
// Never a token, a secret or a transcript.

/// Sets the least severe level that is written: trace, debug, info, warning, error, off.
/// Errors: `invalid_argument` for any other word.
Result<void> set_level(std::string_view level);

template <class... Args>
void debug(std::string_view area, spdlog::format_string_t<Args...> words, Args&&... args) {
  if (spdlog::should_log(spdlog::level::debug)) {
    spdlog::debug("{}: {}", area, fmt::format(words, std::forward<Args>(args)...));
  }
}
template <class... Args>
void info(std::string_view area, spdlog::format_string_t<Args...> words, Args&&... args) {
  spdlog::info("{}: {}", area, fmt::format(words, std::forward<Args>(args)...));
}
template <class... Args>
void warning(std::string_view area, spdlog::format_string_t<Args...> words, Args&&... args) {
  spdlog::warn("{}: {}", area, fmt::format(words, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view area, spdlog::format_string_t<Args...> words, Args&&... args) {
  spdlog::error("{}: {}", area, fmt::format(words, std::forward<Args>(args)...));
}

}  // namespace rushes::log
