#pragma once
#include "base/result.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>
#include <string_view>

namespace rushes::media::detail {

// Owners of libav's things, and its errors as ours.

struct CodecContextDeleter {
  void operator()(AVCodecContext* context) const noexcept { avcodec_free_context(&context); }
};
struct FrameDeleter {
  void operator()(AVFrame* frame) const noexcept { av_frame_free(&frame); }
};
struct PacketDeleter {
  void operator()(AVPacket* packet) const noexcept { av_packet_free(&packet); }
};
struct ScalerDeleter {
  void operator()(SwsContext* scaler) const noexcept { sws_freeContext(scaler); }
};
struct ResamplerDeleter {
  void operator()(SwrContext* resampler) const noexcept { swr_free(&resampler); }
};

using CodecContextPtr = std::unique_ptr<AVCodecContext, CodecContextDeleter>;
using FramePtr = std::unique_ptr<AVFrame, FrameDeleter>;
using PacketPtr = std::unique_ptr<AVPacket, PacketDeleter>;
using ScalerPtr = std::unique_ptr<SwsContext, ScalerDeleter>;
using ResamplerPtr = std::unique_ptr<SwrContext, ResamplerDeleter>;

FramePtr make_frame();
PacketPtr make_packet();

/// libav's words for its error number.
std::string av_words(int error);

/// `internal`: libav failed where it must not. `JOB_OUT_OF_MEMORY` where it says so.
Error av_error(std::string_view doing, int error);

/// `MEDIA_UNREADABLE`; `what` goes to the log only.
Error unreadable_error(std::string_view what);
/// `JOB_OUT_OF_MEMORY`: the limit of the process or of one allocation is reached.
Error memory_error();
/// `JOB_OUT_OF_MEMORY` or `MEDIA_UNREADABLE`, by libav's error number.
Error decoding_error(std::string_view what, int error);
Error no_video_error();
Error no_audio_error();

/// A decoder for the stream, on one thread, within the limits. Errors: `MEDIA_UNREADABLE`, `JOB_OUT_OF_MEMORY`.
Result<CodecContextPtr> open_decoder(const AVStream& stream);

/// Sends libav's own log to ours, at level debug, and bounds its single allocations by the limits. Once a process;
/// calling it again does nothing.
void set_up_libav();

inline double to_seconds(std::int64_t time, AVRational base) noexcept {
  return static_cast<double>(time) * av_q2d(base);
}

}  // namespace rushes::media::detail
