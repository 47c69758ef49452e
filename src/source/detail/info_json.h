#pragma once
#include "base/json.h"
#include "source/video_record.h"

#include <string>
#include <string_view>

namespace rushes::source::detail {

/// What `yt-dlp -J` printed. Errors: `FETCH_FAILED` for what is not a JSON object.
Result<json::object> parse_info(std::string_view text);

/// Reads what `yt-dlp -J` printed about `url` into a record.
/// Errors: `PLAYLIST_NOT_SUPPORTED`, `LIVE_NOT_SUPPORTED` (also for what has not begun), `FETCH_FAILED` for what is not
/// about a video.
Result<VideoRecord> read_info(const json::object& info, const std::string& url);

}  // namespace rushes::source::detail
