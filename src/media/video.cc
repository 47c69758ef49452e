#include "media/detail/video.h"

#include "media/limits.h"

#include <atomic>
#include <cmath>

namespace rushes::media::detail {
namespace {

constexpr int kMaxReadErrors = 100;  // in a row

std::atomic<std::int64_t> decoded_pixels = 0;

/// Whether there is memory for a picture of this size and what a decoder keeps beside it.
bool has_room(PictureSize size) noexcept {
  constexpr std::int64_t kPixelBytes = 8;
  auto* room = av_malloc(static_cast<std::size_t>(size.pixels() * kPixelBytes));
  av_free(room);
  return room != nullptr;
}

void spend(PictureSize size) noexcept { decoded_pixels += size.pixels(); }

}  // namespace

Result<std::unique_ptr<VideoDecoder>> VideoDecoder::open(const Source& source) {
  auto input = Input::open(source);
  if (!input) return input.error();
  auto* stream = (*input)->video();
  if (stream == nullptr) return no_video_error();
  (void)take_refused_picture();
  auto decoder = open_decoder(*stream);
  if (!decoder) return decoder.error();
  (*input)->read_only(*stream);
  std::unique_ptr<VideoDecoder> video(new VideoDecoder(std::move(*input), std::move(*decoder)));
  video->shape_ = shape_of(*video->input_->format(), *stream);
  return video;
}

double VideoDecoder::budget_used() noexcept {
  return static_cast<double>(decoded_pixels) / static_cast<double>(limits().decoded_pixels);
}

std::optional<Error> VideoDecoder::failure() const {
  if (failure_) return failure_;
  if (has_frames_) return std::nullopt;
  if (refused_) return too_many_pixels_error(*refused_);
  // Most decoders call a packet broken where they lack memory.
  if (!has_room({stream_.codecpar->width, stream_.codecpar->height})) return memory_error();
  return std::nullopt;
}

bool VideoDecoder::seek(double seconds) {
  const auto time = std::llround((seconds + input_->origin()) / av_q2d(stream_.time_base));
  if (av_seek_frame(input_->format(), stream_.index, time, AVSEEK_FLAG_BACKWARD) < 0) return false;
  avcodec_flush_buffers(decoder_.get());
  demuxer_ended_ = false;
  drained_ = false;
  was_key_ = false;
  return true;
}

void VideoDecoder::only_keyframes(bool only, double apart) {
  apart_ = apart;
  if (std::exchange(drained_, false)) avcodec_flush_buffers(decoder_.get());
  decoder_->skip_frame = only ? AVDISCARD_NONKEY : AVDISCARD_DEFAULT;
  // The picture is scaled down anyhow.
  decoder_->skip_loop_filter = only ? AVDISCARD_ALL : AVDISCARD_DEFAULT;
  // Not stream_.discard: libav's MP4 reader then counts wrongly and gives keyframes their neighbours' times.
}

const AVFrame* VideoDecoder::next() {
  const auto* frame = decode();
  if (const auto size = take_refused_picture()) refused_ = size;
  return frame;
}

const AVFrame* VideoDecoder::decode() {
  for (;;) {
    if (budget_used() >= 1) failure_ = pixel_budget_error();
    if (failure_) return nullptr;
    const int received = avcodec_receive_frame(decoder_.get(), frame_.get());
    if (received >= 0) {
      has_frames_ = true;
      spend({frame_->width, frame_->height});
      const auto at = frame_->best_effort_timestamp;
      if (at != AV_NOPTS_VALUE) time_ = std::max(0.0, to_seconds(at, stream_.time_base) - input_->origin());
      return frame_.get();
    }
    if (received != AVERROR_EOF && received != AVERROR(EAGAIN)) note_broken(received);
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
  for (int errors = 0; errors < kMaxReadErrors && !failure_;) {
    const int read = av_read_frame(input_->format(), packet_.get());
    if (read == AVERROR_EOF) break;
    if (read < 0) {
      ++errors;
      if (read == AVERROR(ENOMEM)) failure_ = memory_error();
      continue;
    }
    const bool wanted = packet_->stream_index == stream_.index && is_wanted(*packet_);
    const int sent = wanted ? avcodec_send_packet(decoder_.get(), packet_.get()) : -1;
    av_packet_unref(packet_.get());
    if (sent >= 0) return true;
    if (wanted) note_broken(sent);
  }
  demuxer_ended_ = true;
  return !failure_ && avcodec_send_packet(decoder_.get(), nullptr) >= 0;
}

/// A decoder that is never shown the packets it would skip has nothing to do for them.
bool VideoDecoder::is_wanted(const AVPacket& packet) {
  if (decoder_->skip_frame != AVDISCARD_NONKEY) return true;
  const bool is_key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  const bool follows_key = std::exchange(was_key_, is_key);
  if (!is_key) return false;
  const auto at = packet.pts != AV_NOPTS_VALUE ? to_seconds(packet.pts, stream_.time_base) : sent_at_ + apart_;
  if (follows_key && at >= sent_at_ && at < sent_at_ + apart_) return false;
  sent_at_ = at;
  return true;
}

/// A packet that cannot be decoded costs as much as one that can.
void VideoDecoder::note_broken(int error) {
  if (error == AVERROR(ENOMEM)) failure_ = memory_error();
  spend({decoder_->width, decoder_->height});
  if (budget_used() >= 1) failure_ = pixel_budget_error();
}

}  // namespace rushes::media::detail
