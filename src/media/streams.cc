#include "media/detail/streams.h"

#include "media/detail/refusals.h"
#include "media/limits.h"

#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace rushes::media::detail {
namespace {

bool can_decode(const AVStream& stream) noexcept { return avcodec_find_decoder(stream.codecpar->codec_id) != nullptr; }

bool is_video(const AVStream& stream) noexcept {
  constexpr int kStills = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS;
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && (stream.disposition & kStills) == 0;
}

/// What the headers say, against the limits.
Result<void> check_streams(const AVFormatContext& format) {
  int streams = 0;
  int videos = 0;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const auto& stream = *format.streams[i];
    if (stream.codecpar->codec_type != AVMEDIA_TYPE_ATTACHMENT) ++streams;
    if (!is_video(stream)) continue;
    ++videos;
    if (auto small = check_size({stream.codecpar->width, stream.codecpar->height}); !small) return small;
  }
  if (streams > limits().streams) {
    return too_many_streams_error(std::to_string(streams) + " streams", limits().streams);
  }
  if (videos > limits().video_streams) {
    return too_many_streams_error(std::to_string(videos) + " video streams", limits().video_streams);
  }
  return {};
}

/// Whether streams show up while packets are read, so that a header does not name all of them.
bool shows_streams_late(const AVFormatContext& format) noexcept { return (format.ctx_flags & AVFMTCTX_NOHEADER) != 0; }

/// DV shows its sound late too, but never more than one small picture; inside AVI, libav cannot go back to its start.
bool is_dv(const AVFormatContext& format) noexcept {
  const std::string_view name = format.iformat->name;
  return name == "dv" || name == "avi";
}

/// Reads as far as avformat_find_stream_info may, so that all streams are known before it, and goes back to the start.
Result<void> meet_streams(AVFormatContext& format) {
  const auto packet = make_packet();
  for (std::int64_t seen = 0; seen < format.probesize; seen += packet->size) {
    av_packet_unref(packet.get());
    if (static_cast<int>(format.nb_streams) > limits().streams) break;
    if (av_read_frame(&format, packet.get()) < 0) break;
  }
  if (const int error = avformat_seek_file(&format, -1, 0, 0, 0, AVSEEK_FLAG_BYTE); error < 0) {
    return decoding_error("rewind", error);
  }
  return check_streams(format);
}

}  // namespace

AVStream* best_video(AVFormatContext& format) noexcept {
  // The default track first, then the larger picture.
  const auto rank = [](const AVStream& stream) {
    return std::tuple((stream.disposition & AV_DISPOSITION_DEFAULT) != 0,
                      std::int64_t{stream.codecpar->width} * stream.codecpar->height);
  };
  AVStream* best = nullptr;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    auto* stream = format.streams[i];
    if (!is_video(*stream) || stream->codecpar->width <= 0 || stream->codecpar->height <= 0) continue;
    if (can_decode(*stream) && (best == nullptr || rank(*best) < rank(*stream))) best = stream;
  }
  return best;
}

AVStream* best_audio(AVFormatContext& format) noexcept {
  const int index = av_find_best_stream(&format, AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
  if (index < 0) return nullptr;
  auto* stream = format.streams[index];
  return can_decode(*stream) && stream->codecpar->sample_rate > 0 ? stream : nullptr;
}

Result<void> find_streams(AVFormatContext& format) {
  if (auto few = check_streams(format); !few) return few;
  const bool late = shows_streams_late(format);
  if (late && !is_dv(format)) {
    if (auto met = meet_streams(format); !met) return met;
  }

  // libav decodes a picture of each stream whose header does not say all; of covers and of videos that are not shown
  // it would be in vain.
  const auto* shown = best_video(format);
  std::vector<AVDictionary*> options(format.nb_streams);
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const auto& stream = *format.streams[i];
    const bool wanted = is_video(stream) && (shown == nullptr || shown == &stream);
    av_dict_set_int(&options[i], "max_pixels", wanted ? limits().pixels_per_picture : 1, 0);
  }
  // A stream that showed up now would be decoded without these options.
  const auto max_streams = format.max_streams;
  if (!late || !is_dv(format)) format.max_streams = static_cast<int>(format.nb_streams);
  (void)take_refused_picture();
  const int found = avformat_find_stream_info(&format, options.data());
  const auto refused = take_refused_picture();
  format.max_streams = max_streams;
  for (auto*& option : options) av_dict_free(&option);
  if (found < 0) return decoding_error("streams", found);

  // A picture larger than its header said leaves its stream without a size.
  for (unsigned i = 0; refused && i < format.nb_streams; ++i) {
    const auto& stream = *format.streams[i];
    if (is_video(stream) && stream.codecpar->width <= 0) return too_many_pixels_error(*refused);
  }
  return check_streams(format);
}

}  // namespace rushes::media::detail
