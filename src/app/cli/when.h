#pragma once
#include "base/clock.h"

#include <optional>
#include <string>
#include <string_view>

namespace rushes::app::cli {

/// Reads what `to_rfc3339` writes (UTC, with or without a fraction of a second); nothing for anything else.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

/// How long before `now` that was, for a table: `just now`, `5 min ago`, `3 h ago`, `12 d ago`.
std::string ago(Timestamp then, Timestamp now);

/// From `from` to `to` as `1:02`; empty where either cannot be read.
std::string elapsed(std::string_view from, std::string_view to);

}  // namespace rushes::app::cli
