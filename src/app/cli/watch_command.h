#pragma once
#include "app/cli/connection.h"
#include "app/cli/watcher.h"

#include <string>

namespace rushes::app::cli {

/// Runs `watcher` to its end and, with `show` and one job (`id` not empty) that went well, prints its analysis.
/// Returns the exit code.
int watch_to_end(Watcher& watcher, Link& link, const std::string& id, bool show, bool json);

/// Fetches the job and prints its analysis for people, or where it stands. Returns the exit code.
int show_job(Link& link, const std::string& id, bool transcript);

}  // namespace rushes::app::cli
