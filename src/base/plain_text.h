#pragma once
#include <string>
#include <string_view>

namespace rushes {

/// `text`, which is UTF-8, as one line that shows what it holds: without control characters and without those that
/// turn the direction of what follows (U+202A to U+202E, U+2066 to U+2069). Tabs and line breaks become spaces.
std::string plain_line(std::string_view text);

}  // namespace rushes
