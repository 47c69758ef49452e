#include "media/detail/shape.h"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <cmath>

namespace rushes::media::detail {

Shape shape_of(AVFormatContext& format, AVStream& stream) noexcept {
  Shape shape;
  shape.width = stream.codecpar->width;
  shape.height = stream.codecpar->height;
  const auto aspect = av_q2d(av_guess_sample_aspect_ratio(&format, &stream, nullptr));
  // Beyond 1:16 it is a broken header rather than a wish.
  if (std::isfinite(aspect) && aspect > 1.0 / 16 && aspect < 16) {
    shape.width = std::max(1, static_cast<int>(std::lround(shape.width * aspect)));
  }
  std::size_t size = 0;
  const auto* matrix = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (matrix != nullptr && size >= 9 * sizeof(std::int32_t)) {
    const auto angle = -av_display_rotation_get(reinterpret_cast<const std::int32_t*>(matrix));  // libav: anticlockwise
    if (std::isfinite(angle)) shape.rotation = (static_cast<int>(std::lround(angle / 90)) * 90 % 360 + 360) % 360;
  }
  return shape;
}

}  // namespace rushes::media::detail
