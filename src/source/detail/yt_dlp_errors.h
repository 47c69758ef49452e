#pragma once
#include "base/result.h"
#include "box/door_report.h"
#include "source/detail/child_process.h"

#include <optional>
#include <string>
#include <string_view>

namespace rushes::source::detail {

/// Why yt-dlp failed, for the user, from what it wrote to standard error and what the door has seen.
Error explain_failure(std::string_view errors, const std::optional<box::Incident>& incident, const std::string& url);

/// For a child that a limit of the box has ended by a signal: `JOB_OUT_OF_TIME` for its processor time,
/// `JOB_OUT_OF_MEMORY` for a kill without that. Nothing for any other end.
std::optional<Error> explain_signal(const ChildResult& child);

/// The reason alone: the last `ERROR:` of `errors` in one line, without extractor and advice on bug reports.
std::string reason_of(std::string_view errors);

}  // namespace rushes::source::detail
