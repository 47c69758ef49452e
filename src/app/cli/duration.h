#pragma once
#include "base/result.h"

#include <chrono>
#include <string>
#include <string_view>

namespace rushes::app::cli {

/// A length of time as people type it: a whole number and one of `s`, `m`, `h`, `d` (`90s`, `15m`, `1h`, `7d`).
/// Errors: `invalid_argument` for anything else, for zero, and for more than ten years.
Result<std::chrono::seconds> parse_duration(std::string_view text);

/// The same in words: `1 hour`, `15 minutes`, `90 seconds`.
std::string to_words(std::chrono::seconds length);

}  // namespace rushes::app::cli
