#pragma once
#include "media/detail/av.h"

namespace rushes::media::detail {

/// The stream that a player would show; null without one. Cover pictures are none.
AVStream* best_video(AVFormatContext& format) noexcept;
/// The stream that a player would play; null without one.
AVStream* best_audio(AVFormatContext& format) noexcept;

/// Finds the streams of an opened file and what is in them, within the limits: refuses too many and too large ones by
/// their headers first, and lets libav decode only the pictures of the video that is shown.
///
/// Errors: `MEDIA_TOO_MANY_STREAMS`, `MEDIA_TOO_MANY_PIXELS`, `MEDIA_UNREADABLE`, `JOB_OUT_OF_MEMORY`.
Result<void> find_streams(AVFormatContext& format);

}  // namespace rushes::media::detail
