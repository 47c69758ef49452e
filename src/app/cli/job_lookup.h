#pragma once
#include "app/cli/http_client.h"
#include "app/cli/job_view.h"
#include "base/result.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::app::cli {

/// Calls `visit` with the user's jobs, newest first, until it returns false or there are no more.
/// `status` and `type` narrow them where they are not empty.
Result<void> each_job(HttpClient& http, const std::string& status, const std::string& type,
                      const std::function<bool(const json::object&)>& visit);

/// Whether `shortened` (at least four characters) is the start or the end of `id`. Ends tell more:
/// the start of an id is the time it was made.
bool means(std::string_view shortened, std::string_view id);

/// The full id for what a person typed: an id, or the start or the end of one of their newest 1000.
/// Errors: `not_found` (JOB_NOT_FOUND); `invalid_argument` (JOB_AMBIGUOUS), naming some that are meant.
Result<std::string> find_job(HttpClient& http, std::string_view typed);

/// The status document of a job; see CONTRACT.md, section 4.
Result<json::object> job_status(HttpClient& http, const std::string& id);

/// The document as a view. The one difference to `job_from_rest`: a name for it is looked for in more places.
JobView view_of_status(const json::object& status, const std::string& id);

}  // namespace rushes::app::cli
