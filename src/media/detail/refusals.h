#pragma once
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace rushes::media::detail {

// What is refused because of media/limits.h, all `too_large`.

struct PictureSize {
  int width = 0;
  int height = 0;
  std::int64_t pixels() const noexcept { return std::int64_t{width} * height; }
};

/// `MEDIA_TOO_MANY_PIXELS`: one picture is too large.
Error too_many_pixels_error(PictureSize size);
/// `MEDIA_TOO_MANY_PIXELS`: the budget of decoded pixels is used up.
Error pixel_budget_error();
/// `MEDIA_TOO_MANY_STREAMS`; `found` is for the sentence: "65 streams".
Error too_many_streams_error(std::string_view found, int allowed);

/// Errors: `MEDIA_TOO_MANY_PIXELS`.
Result<void> check_size(PictureSize size);
/// Errors: `MEDIA_TOO_LONG`. One second more is allowed: encoders pad.
Result<void> check_duration(double seconds);

/// libav names the limit that was exceeded only in its log. Keeps what such a line says, for its thread.
void note_log_line(const char* line) noexcept;
/// The last picture over the limit that libav refused on this thread since the last call.
std::optional<PictureSize> take_refused_picture() noexcept;
/// Whether libav refused to add a stream on this thread since the last call.
bool take_refused_stream() noexcept;

}  // namespace rushes::media::detail
