#pragma once
#include "base/result.h"
#include "source/filtering_proxy.h"

#include <optional>
#include <string>
#include <string_view>

namespace rushes::source::detail {

/// Why yt-dlp failed, for the user, from what it wrote to standard error and what the proxy has seen.
Error explain_failure(std::string_view errors, const std::optional<FilteringProxy::Incident>& incident,
                      const std::string& url);

/// The reason alone: the last `ERROR:` of `errors` in one line, without extractor and advice on bug reports.
std::string reason_of(std::string_view errors);

}  // namespace rushes::source::detail
