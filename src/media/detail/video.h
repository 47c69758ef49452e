#pragma once
#include "media/detail/input.h"
#include "media/detail/refusals.h"
#include "media/detail/shape.h"

#include <memory>
#include <optional>
#include <utility>

namespace rushes::media::detail {

/// The pictures of a file, one after another or by seeking.
///
/// Threads: single-owner.
class VideoDecoder {
 public:
  /// Errors: those of `probe`; `MEDIA_NO_VIDEO`; `MEDIA_UNREADABLE`.
  static Result<std::unique_ptr<VideoDecoder>> open(const Source& source);
  /// Used part of the process's budget of pixels (media/limits.h); from 1 on nothing is decoded.
  static double budget_used() noexcept;

  /// Goes to the keyframe at or before `seconds`, as near as the container allows. False where it cannot seek.
  bool seek(double seconds);
  /// From here on only keyframes are decoded, or all frames again. Where each frame is a keyframe, only one in
  /// `apart` seconds is.
  void only_keyframes(bool only, double apart = 0);
  /// The next frame that can be decoded; null at the end and after a failure. It lives until the next call.
  const AVFrame* next();
  /// Why `next()` gave nothing: `JOB_OUT_OF_MEMORY`; `MEDIA_TOO_MANY_PIXELS` where the budget is used up, or where no
  /// frame was decoded and some were too large. Empty at the end of the file.
  std::optional<Error> failure() const;
  /// When the frame of the last `next()` is shown, in seconds.
  double time() const noexcept { return time_; }

  double duration() const noexcept { return input_->duration(); }
  const Shape& shape() const noexcept { return shape_; }

 private:
  VideoDecoder(std::unique_ptr<Input> input, CodecContextPtr decoder)
      : input_(std::move(input)), stream_(*input_->video()), decoder_(std::move(decoder)) {}
  const AVFrame* decode();
  bool send_packet();
  bool is_wanted(const AVPacket& packet);
  void note_broken(int error);

  std::unique_ptr<Input> input_;
  AVStream& stream_;
  CodecContextPtr decoder_;
  Shape shape_;
  FramePtr frame_ = make_frame();
  PacketPtr packet_ = make_packet();
  double time_ = 0;
  double apart_ = 0;
  double sent_at_ = -1e9;  // time of the last packet that was decoded
  bool was_key_ = false;   // the last packet of the stream
  bool has_frames_ = false;
  std::optional<PictureSize> refused_;
  std::optional<Error> failure_;
  bool demuxer_ended_ = false;
  bool drained_ = false;  // the decoder was told to give all it holds
};

}  // namespace rushes::media::detail
