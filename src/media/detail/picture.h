#pragma once
#include "media/detail/av.h"
#include "media/thumbnails.h"

#include <string>

namespace rushes::media::detail {

/// Scales the frame to `width` × `height`, upright or not, as YUV 4:2:0. `full_range` is what JPEG wants.
Result<FramePtr> scale(const AVFrame& frame, int width, int height, bool full_range);

/// The same picture turned clockwise by 0, 90, 180 or 270 degrees.
FramePtr turn(FramePtr picture, int degrees);

/// How much there is to see: the largest standard deviation among brightness and colours, 0..127; near 0 for one
/// colour. Black pictures with a little noise count as 0.
double interest(const AVFrame& picture) noexcept;

/// The picture as a file's content.
Result<std::string> encode(const AVFrame& picture, ImageFormat format);

}  // namespace rushes::media::detail
