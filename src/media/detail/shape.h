#pragma once
#include "media/detail/av.h"

namespace rushes::media::detail {

/// How a stored picture is to be shown.
struct Shape {
  int width = 0;  // as stored, but with square pixels
  int height = 0;
  int rotation = 0;  // degrees clockwise: 0, 90, 180, 270

  bool is_turned() const noexcept { return rotation % 180 != 0; }
  int shown_width() const noexcept { return is_turned() ? height : width; }
  int shown_height() const noexcept { return is_turned() ? width : height; }
};

Shape shape_of(AVFormatContext& format, AVStream& stream) noexcept;

}  // namespace rushes::media::detail
