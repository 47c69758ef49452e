#pragma once
#include "media/detail/input.h"
#include "media/detail/shape.h"

#include <memory>
#include <utility>

namespace rushes::media::detail {

/// The pictures of a file, one after another or by seeking.
///
/// Threads: single-owner.
class VideoDecoder {
 public:
  /// Errors: those of `probe`; `MEDIA_NO_VIDEO`; `MEDIA_UNREADABLE`.
  static Result<std::unique_ptr<VideoDecoder>> open(const std::filesystem::path& path);

  /// Goes to the keyframe at or before `seconds`, as near as the container allows. False where it cannot seek.
  bool seek(double seconds);
  /// From here on only keyframes are decoded, or all frames again.
  void only_keyframes(bool only);
  /// The next frame that can be decoded; null at the end. It lives until the next call.
  const AVFrame* next();
  /// When the frame of the last `next()` is shown, in seconds.
  double time() const noexcept { return time_; }

  double duration() const noexcept { return input_->duration(); }
  const Shape& shape() const noexcept { return shape_; }

 private:
  VideoDecoder(std::unique_ptr<Input> input, CodecContextPtr decoder)
      : input_(std::move(input)), stream_(*input_->video()), decoder_(std::move(decoder)) {}
  bool send_packet();

  std::unique_ptr<Input> input_;
  AVStream& stream_;
  CodecContextPtr decoder_;
  Shape shape_;
  FramePtr frame_ = make_frame();
  PacketPtr packet_ = make_packet();
  double time_ = 0;
  bool demuxer_ended_ = false;
  bool drained_ = false;  // the decoder was told to give all it holds
};

}  // namespace rushes::media::detail
