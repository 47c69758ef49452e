#pragma once
#include "app/cli/terminal.h"
#include "base/clock.h"
#include "base/json.h"

#include <string>

namespace rushes::app::cli {

// What `GET /admin/queue`, `/admin/jobs/{id}` and `/admin/dead` say, for people.

std::string queue_text(const json::object& report, const Terminal& terminal, Timestamp now);
/// Why the job is where it is, its attempts, and where its time went, with a bar for each stage.
std::string job_text(const json::object& report, const Terminal& terminal, std::size_t columns);
std::string dead_text(const json::array& jobs, const Terminal& terminal, Timestamp now);

}  // namespace rushes::app::cli
