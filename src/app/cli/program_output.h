#pragma once
#include "base/result.h"

#include <chrono>
#include <string>
#include <vector>

namespace rushes::app::cli {

/// Runs a program (found on PATH, no shell) and returns what it wrote to standard output, at most 64 KiB.
/// Its standard error is thrown away.
/// Errors: `not_found` where there is no such program; `timed_out`, after it was killed; `unavailable`
/// where it ended otherwise than with 0.
Result<std::string> program_output(std::vector<std::string> command, std::chrono::milliseconds most);

}  // namespace rushes::app::cli
