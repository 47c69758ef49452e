#pragma once
#include "source/video_record.h"

#include <string>
#include <string_view>

namespace rushes::source::detail {

/// Reads what `yt-dlp -J` printed about `url` into a record.
/// Errors: `PLAYLIST_NOT_SUPPORTED`, `LIVE_NOT_SUPPORTED` (also for what has not begun), `FETCH_FAILED` for what is not
/// such a JSON text.
Result<VideoRecord> read_info(std::string_view text, const std::string& url);

}  // namespace rushes::source::detail
