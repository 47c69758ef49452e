#include "media/detail/refusals.h"

#include "base/text.h"
#include "media/limits.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace rushes::media::detail {
namespace {

thread_local std::optional<PictureSize> refused_picture;
thread_local bool refused_stream = false;

/// "196 million", "0.5 million".
std::string millions(std::int64_t pixels) { return fmt::format("{:.4g} million", static_cast<double>(pixels) / 1e6); }

}  // namespace

Error too_many_pixels_error(PictureSize size) {
  return Error::for_user(
      Errc::too_large, "MEDIA_TOO_MANY_PIXELS",
      fmt::format(
          "The video has pictures of {} x {} = {} pixels; at most {} are allowed. Send it in a lower resolution.",
          size.width, size.height, millions(size.pixels()), millions(limits().pixels_per_picture)));
}

Error pixel_budget_error() {
  return Error::for_user(Errc::too_large, "MEDIA_TOO_MANY_PIXELS",
                         fmt::format("The pictures of the video have more than {} pixels in all, which is the most "
                                     "that is allowed. Send it shorter or in a lower resolution.",
                                     millions(limits().decoded_pixels)));
}

Error too_many_streams_error(std::string_view found, int allowed) {
  return Error::for_user(
      Errc::too_large, "MEDIA_TOO_MANY_STREAMS",
      fmt::format("The file has {}; at most {} are allowed. Send one with fewer tracks.", found, allowed));
}

Result<void> check_size(PictureSize size) {
  if (size.pixels() > limits().pixels_per_picture) return too_many_pixels_error(size);
  return {};
}

Result<void> check_duration(double seconds) {
  if (seconds <= limits().duration + 1) return {};
  return Error::for_user(Errc::too_large, "MEDIA_TOO_LONG",
                         fmt::format("The recording lasts at least {}; at most {} are allowed. Send a shorter one.",
                                     to_clock_time(seconds), to_clock_time(limits().duration)));
}

void note_log_line(const char* line) noexcept {
  if (std::string_view(line).starts_with("Number of streams exceeds")) refused_stream = true;
  PictureSize size;
  // libavutil's words, and dav1d's.
  if (std::sscanf(line, "Picture size %dx%d exceeds", &size.width, &size.height) != 2 &&
      std::sscanf(line, "Frame size %dx%d exceeds", &size.width, &size.height) != 2) {
    return;
  }
  if (size.pixels() > limits().pixels_per_picture) refused_picture = size;
}

std::optional<PictureSize> take_refused_picture() noexcept { return std::exchange(refused_picture, std::nullopt); }

bool take_refused_stream() noexcept { return std::exchange(refused_stream, false); }

}  // namespace rushes::media::detail
