#pragma once
#include "base/clock.h"

#include <optional>
#include <string_view>

namespace rushes {

/// Reads a time of RFC 3339, of any offset: `2026-01-01T09:30:00+01:00`. Finer parts than a millisecond are dropped.
/// Nothing for anything else, and for times without an offset.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace rushes
