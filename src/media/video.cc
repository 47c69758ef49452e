#include "media/detail/video.h"

#include <cmath>

namespace rushes::media::detail {
namespace {

constexpr int kMaxReadErrors = 100;  // in a row

}  // namespace

Result<std::unique_ptr<VideoDecoder>> VideoDecoder::open(const std::filesystem::path& path) {
  auto input = Input::open(path);
  if (!input) return input.error();
  auto* stream = (*input)->video();
  if (stream == nullptr) return no_video_error();
  auto decoder = open_decoder(*stream);
  if (!decoder) return decoder.error();
  (*input)->read_only(*stream);
  std::unique_ptr<VideoDecoder> video(new VideoDecoder(std::move(*input), std::move(*decoder)));
  video->shape_ = shape_of(*video->input_->format(), *stream);
  return video;
}

bool VideoDecoder::seek(double seconds) {
  const auto time = std::llround((seconds + input_->origin()) / av_q2d(stream_.time_base));
  if (av_seek_frame(input_->format(), stream_.index, time, AVSEEK_FLAG_BACKWARD) < 0) return false;
  avcodec_flush_buffers(decoder_.get());
  demuxer_ended_ = false;
  drained_ = false;
  return true;
}

void VideoDecoder::only_keyframes(bool only) {
  if (std::exchange(drained_, false)) avcodec_flush_buffers(decoder_.get());
  decoder_->skip_frame = only ? AVDISCARD_NONKEY : AVDISCARD_DEFAULT;
  // The picture is scaled down anyhow.
  decoder_->skip_loop_filter = only ? AVDISCARD_ALL : AVDISCARD_DEFAULT;
  // Not stream_.discard: libav's MP4 reader then counts wrongly and gives keyframes their neighbours' times.
}

const AVFrame* VideoDecoder::next() {
  for (;;) {
    const int received = avcodec_receive_frame(decoder_.get(), frame_.get());
    if (received >= 0) {
      const auto at = frame_->best_effort_timestamp;
      if (at != AV_NOPTS_VALUE) time_ = std::max(0.0, to_seconds(at, stream_.time_base) - input_->origin());
      return frame_.get();
    }
    if (received == AVERROR_EOF && drained_) {
      avcodec_flush_buffers(decoder_.get());
      drained_ = false;
    } else if (received == AVERROR_EOF || (demuxer_ended_ && received != AVERROR(EAGAIN))) {
      return nullptr;
    }
    if (!send_packet()) return nullptr;
    if (decoder_->skip_frame == AVDISCARD_NONKEY && !demuxer_ended_) {
      // Decoders hold frames back to reorder them; keyframes need none, and waiting for the next would decode it too.
      (void)avcodec_send_packet(decoder_.get(), nullptr);
      drained_ = true;
    }
  }
}

bool VideoDecoder::send_packet() {
  if (demuxer_ended_) return false;
  for (int errors = 0; errors < kMaxReadErrors;) {
    const int read = av_read_frame(input_->format(), packet_.get());
    if (read == AVERROR_EOF) break;
    if (read < 0) {
      ++errors;
      continue;
    }
    const bool ours = packet_->stream_index == stream_.index;
    // A decoder that is never shown the packets it would skip has nothing to do for them.
    const bool wanted = decoder_->skip_frame != AVDISCARD_NONKEY || (packet_->flags & AV_PKT_FLAG_KEY) != 0;
    const int sent = ours && wanted ? avcodec_send_packet(decoder_.get(), packet_.get()) : -1;
    av_packet_unref(packet_.get());
    if (sent >= 0) return true;
  }
  demuxer_ended_ = true;
  return avcodec_send_packet(decoder_.get(), nullptr) >= 0;
}

}  // namespace rushes::media::detail
