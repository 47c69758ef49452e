#pragma once
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::source::detail {

/// A program to run, without a shell.
struct Child {
  std::vector<std::string> arguments;    // the program first: a path, or a name on PATH
  std::vector<std::string> environment;  // NAME=value, all of it
  std::filesystem::path folder;          // where it starts
  std::chrono::steady_clock::time_point deadline;
  std::size_t max_output = 32U << 20U;                 // bytes on standard output; more ends it
  std::function<void(std::string_view line)> on_line;  // where given, lines go here instead of to `output`
};

enum class ChildEnd : std::uint8_t { exited, timed_out, too_much_output };

struct ChildResult {
  ChildEnd end = ChildEnd::exited;
  int exit_code = 0;  // of `exited`; 128 + n after signal n
  int signal = 0;     // that ended it; 0: none, or we did
  std::chrono::seconds processor_time{};
  std::string output;
  std::string errors;  // the last 64 KiB of standard error
};

/// Runs `child` to its end, BLOCKING. It stays in our process group and inherits nothing but its two pipes; standard
/// input is empty. When it has to be ended it is killed. Reads both pipes as they fill, so it never waits for us.
/// Needs neither /proc nor a shell, but pidfd_open(2).
/// Errors: `not_found` when there is no such program; `unavailable` for what the system says.
Result<ChildResult> run_child(const Child& child);

}  // namespace rushes::source::detail
