#pragma once
#include "base/clock.h"

#include <string>
#include <string_view>

namespace rushes::app::cli {

/// How long before `now` that was, for a table: `just now`, `5 min ago`, `3 h ago`, `12 d ago`.
std::string ago(Timestamp then, Timestamp now);

/// From `from` to `to` as `1:02`; empty where either cannot be read.
std::string elapsed(std::string_view from, std::string_view to);

}  // namespace rushes::app::cli
