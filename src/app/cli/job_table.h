#pragma once
#include "app/cli/job_view.h"
#include "app/cli/terminal.h"
#include "base/clock.h"

#include <cstddef>
#include <string>
#include <vector>

namespace rushes::app::cli {

/// Jobs as a table with a heading, a line each. Within `columns` where `terminal` is live: there ids are
/// cut to their last eight characters, which the commands take, when the whole would crowd out the rest.
std::string job_table(const std::vector<JobView>& jobs, const Terminal& terminal, std::size_t columns, Timestamp now);

}  // namespace rushes::app::cli
