#pragma once
#include <cstdint>

namespace rushes::media {

/// Bounds on what one file, and one process, may ask for. A process works on one job, so its budget is the job's.
struct Limits {
  /// Width times height of one picture; 8K has 33 million.
  std::int64_t pixels_per_picture = 40'000'000;
  /// Pixels of all pictures that the process decodes: 2 hours of 4K with a keyframe every 2 s have 30 billion.
  std::int64_t decoded_pixels = 60'000'000'000;
  /// Streams of one file. Attached files such as fonts are not counted.
  int streams = 64;
  /// Video streams of one file. Cover pictures are not counted.
  int video_streams = 8;
  /// Length of one recording in seconds.
  double duration = 12 * 3600;
};

/// Replaces the limits of this process, once and before its first file is opened.
void set_limits(const Limits& limits) noexcept;

const Limits& limits() noexcept;

}  // namespace rushes::media
