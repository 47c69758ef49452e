#pragma once
#include "app/cli/terminal.h"
#include "base/json.h"

#include <cstddef>
#include <string>

namespace rushes::app::cli {

/// An analysis (CONTRACT.md, section 5) as people read it, at most `columns` wide, ending in a line
/// break. Parts that are missing or empty are left out. `transcript`: its whole text too.
std::string analysis_text(const json::object& result, const Terminal& terminal, std::size_t columns, bool transcript);

}  // namespace rushes::app::cli
