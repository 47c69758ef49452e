#include "media/audio.h"

#include "base/log.h"
#include "media/detail/input.h"
#include "media/detail/refusals.h"

extern "C" {
#include <libavutil/channel_layout.h>
}

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace rushes::media {

namespace {

constexpr int kRate = AudioReader::kSampleRate;
constexpr std::int64_t kTolerance = kRate / 10;  // timestamps jitter; a smaller hole is none
constexpr std::int64_t kLongestHole = std::int64_t{kRate} * 3600;
constexpr int kLeastRate = 1000;     // below it no sound is recorded, and few bytes would become many samples
constexpr int kMaxReadErrors = 100;  // in a row; some demuxers find the next good packet

}  // namespace

class AudioReader::Impl {
 public:
  Impl(std::unique_ptr<detail::Input> input, detail::CodecContextPtr decoder)
      : input_(std::move(input)), stream_(*input_->audio()), decoder_(std::move(decoder)) {
    input_->read_only(stream_);
  }

  Result<std::size_t> read(std::span<std::int16_t> samples);
  double duration() const noexcept { return input_->duration(); }
  double position() const noexcept { return static_cast<double>(handed_out_) / kRate; }

 private:
  /// Decodes up to the next frame into frame_. False at the end.
  bool next_frame();
  bool send_packet();
  void note_broken(int error);
  /// Puts a hole before frame_ into silence_.
  void place_frame();
  Result<void> resample_frame();
  Result<void> set_up_resampler();
  Result<void> drain_resampler();
  Result<void> convert(const AVFrame* frame);

  std::unique_ptr<detail::Input> input_;
  AVStream& stream_;
  detail::CodecContextPtr decoder_;
  detail::ResamplerPtr resampler_;
  detail::FramePtr frame_ = detail::make_frame();
  detail::PacketPtr packet_ = detail::make_packet();

  // What frames the resampler is set up for.
  int rate_ = 0;
  int format_ = AV_SAMPLE_FMT_NONE;
  int channels_ = 0;

  // Handed out in this order: ready_, silence_, then frame_.
  std::vector<std::int16_t> ready_;
  std::size_t ready_from_ = 0;
  std::int64_t silence_ = 0;
  bool has_frame_ = false;

  std::int64_t made_ = 0;   // samples, handed out or still here
  std::int64_t shift_ = 0;  // what the file's clock lags behind ours after a jump
  std::int64_t handed_out_ = 0;
  std::int64_t packets_ = 0;
  std::int64_t frames_ = 0;
  std::int64_t broken_ = 0;
  bool demuxer_ended_ = false;
  bool ended_ = false;
  bool out_of_memory_ = false;
};

Result<std::size_t> AudioReader::Impl::read(std::span<std::int16_t> samples) {
  std::size_t written = 0;
  while (written < samples.size()) {
    // Of samples made, not of those handed out: hours of silence need not be heard first.
    const auto short_enough = detail::check_duration(static_cast<double>(made_) / kRate);
    if (!short_enough) return short_enough.error();
    if (out_of_memory_) return detail::memory_error();
    const auto wanted = samples.size() - written;
    if (ready_from_ < ready_.size()) {
      const auto count = std::min(wanted, ready_.size() - ready_from_);
      std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(ready_from_), count, samples.data() + written);
      ready_from_ += count;
      written += count;
    } else if (silence_ > 0) {
      const auto count = std::min(wanted, static_cast<std::size_t>(silence_));
      std::fill_n(samples.data() + written, count, std::int16_t{0});
      silence_ -= static_cast<std::int64_t>(count);
      written += count;
    } else if (has_frame_) {
      has_frame_ = false;
      if (const auto done = resample_frame(); !done) return done.error();
    } else if (ended_) {
      break;
    } else if (next_frame()) {
      ++frames_;
      has_frame_ = true;
      place_frame();
    } else if (!out_of_memory_) {
      ended_ = true;
      if (broken_ > 0) log::debug("media", "sound: {} of {} packets broken", broken_, packets_);
      if (frames_ == 0 && packets_ > 0) return detail::unreadable_error("no packet of the sound can be decoded");
      if (const auto done = drain_resampler(); !done) return done.error();
    }
  }
  handed_out_ += static_cast<std::int64_t>(written);
  return written;
}

bool AudioReader::Impl::next_frame() {
  for (;;) {
    const int received = avcodec_receive_frame(decoder_.get(), frame_.get());
    if (received >= 0) {
      if (frame_->nb_samples > 0 && frame_->sample_rate > 0 && frame_->ch_layout.nb_channels > 0) return true;
      continue;
    }
    if (received == AVERROR_EOF) return false;
    if (received != AVERROR(EAGAIN)) note_broken(received);
    if (out_of_memory_) return false;
    if (demuxer_ended_ && received != AVERROR(EAGAIN)) return false;
    if (!send_packet()) return false;
  }
}

/// Gives the decoder its next packet, or tells it that there is none left.
bool AudioReader::Impl::send_packet() {
  if (demuxer_ended_) return false;
  for (int errors = 0; errors < kMaxReadErrors;) {
    const int read = av_read_frame(input_->format(), packet_.get());
    if (read == AVERROR_EOF) break;
    if (read == AVERROR(ENOMEM)) out_of_memory_ = true;
    if (out_of_memory_) return false;
    if (read < 0) {
      ++errors;
      continue;
    }
    if (packet_->stream_index != stream_.index) {
      av_packet_unref(packet_.get());
      continue;
    }
    ++packets_;
    const int sent = avcodec_send_packet(decoder_.get(), packet_.get());
    av_packet_unref(packet_.get());
    if (sent >= 0) return true;
    note_broken(sent);
    if (out_of_memory_) return false;
  }
  demuxer_ended_ = true;
  return avcodec_send_packet(decoder_.get(), nullptr) >= 0;
}

void AudioReader::Impl::note_broken(int error) {
  ++broken_;
  if (error == AVERROR(ENOMEM)) out_of_memory_ = true;
}

void AudioReader::Impl::place_frame() {
  if (frame_->best_effort_timestamp == AV_NOPTS_VALUE) return;
  const auto seconds = detail::to_seconds(frame_->best_effort_timestamp, stream_.time_base) - input_->origin();
  // Beyond a year it is no time; the product below must not overflow either.
  if (!(std::abs(seconds) < 3e7)) return;
  const auto delay = resampler_ ? swr_get_delay(resampler_.get(), kRate) : 0;
  const auto hole = std::llround(seconds * kRate) + shift_ - (made_ + delay);
  if (std::abs(hole) <= kTolerance) return;
  const auto length = std::llround(duration() * kRate);
  const bool within_file = length > 0 ? made_ + hole <= length + kRate : hole <= kLongestHole;
  if (hole > 0 && within_file) {
    silence_ = hole;
    made_ += hole;
  } else {
    shift_ -= hole;  // the clock jumped: go on from here, or all sound after it would be lost or late
  }
}

Result<void> AudioReader::Impl::resample_frame() {
  ready_.clear();
  ready_from_ = 0;
  const bool changed =
      rate_ != frame_->sample_rate || format_ != frame_->format || channels_ != frame_->ch_layout.nb_channels;
  if (changed) {
    if (const auto done = drain_resampler(); !done) return done.error();
    if (const auto done = set_up_resampler(); !done) return done.error();
  }
  return convert(frame_.get());
}

Result<void> AudioReader::Impl::set_up_resampler() {
  if (frame_->sample_rate < kLeastRate) return detail::unreadable_error("sound of an unusual rate");
  AVChannelLayout mono{};
  av_channel_layout_default(&mono, 1);
  AVChannelLayout source{};
  if (frame_->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
    av_channel_layout_default(&source, frame_->ch_layout.nb_channels);
  } else {
    av_channel_layout_copy(&source, &frame_->ch_layout);
  }
  SwrContext* made = nullptr;
  const int allocated =
      swr_alloc_set_opts2(&made, &mono, AV_SAMPLE_FMT_S16, kRate, &source, static_cast<AVSampleFormat>(frame_->format),
                          frame_->sample_rate, 0, nullptr);
  resampler_.reset(made);
  const int started = allocated < 0 ? allocated : swr_init(made);
  av_channel_layout_uninit(&source);
  if (started < 0) return detail::decoding_error("sound of an unusual kind", started);
  rate_ = frame_->sample_rate;
  format_ = frame_->format;
  channels_ = frame_->ch_layout.nb_channels;
  return {};
}

Result<void> AudioReader::Impl::drain_resampler() {
  if (!resampler_) return {};
  if (ended_) {
    ready_.clear();
    ready_from_ = 0;
  }
  auto done = convert(nullptr);
  resampler_.reset();
  return done;
}

/// Appends the frame's samples to ready_; without a frame, what the resampler still holds.
Result<void> AudioReader::Impl::convert(const AVFrame* frame) {
  const int in_count = frame != nullptr ? frame->nb_samples : 0;
  const int room = swr_get_out_samples(resampler_.get(), in_count);
  if (room < 0) return detail::av_error("resample", room);
  const auto before = ready_.size();
  ready_.resize(before + static_cast<std::size_t>(room));
  auto* out = reinterpret_cast<std::uint8_t*>(ready_.data() + before);
  const std::uint8_t** in = frame != nullptr ? const_cast<const std::uint8_t**>(frame->extended_data) : nullptr;
  const int count = swr_convert(resampler_.get(), &out, room, in, in_count);
  if (count < 0) return detail::av_error("resample", count);
  ready_.resize(before + static_cast<std::size_t>(count));
  made_ += count;
  return {};
}

AudioReader::AudioReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AudioReader::~AudioReader() = default;

Result<std::unique_ptr<AudioReader>> AudioReader::open(const Source& source) {
  auto input = detail::Input::open(source);
  if (!input) return input.error();
  if ((*input)->audio() == nullptr) return detail::no_audio_error();
  auto decoder = detail::open_decoder(*(*input)->audio());
  if (!decoder) return decoder.error();
  auto impl = std::make_unique<Impl>(std::move(*input), std::move(*decoder));
  return std::unique_ptr<AudioReader>(new AudioReader(std::move(impl)));
}

Result<std::size_t> AudioReader::read(std::span<std::int16_t> samples) { return impl_->read(samples); }
double AudioReader::duration() const noexcept { return impl_->duration(); }
double AudioReader::position() const noexcept { return impl_->position(); }

}  // namespace rushes::media
