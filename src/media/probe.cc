#include "media/probe.h"

#include "base/text.h"
#include "media/detail/input.h"
#include "media/detail/shape.h"

#include <cmath>

namespace rushes::media {
namespace {

constexpr std::size_t kMaxTitle = 500;

std::string tag(const AVDictionary* tags, const char* key) {
  const auto* entry = av_dict_get(tags, key, nullptr, 0);
  if (entry == nullptr || !is_utf8(entry->value)) return {};
  std::string text;
  for (const char c : std::string_view(entry->value)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return shorten(trim(text), kMaxTitle);
}

std::string container_name(const AVFormatContext& format, const Probe& probe) {
  const std::string_view name = format.iformat->name;
  if (name.starts_with("mov,")) {
    const auto brand = tag(format.metadata, "major_brand");
    if (brand == "qt") return "mov";
    if (brand.starts_with("M4A") || brand.starts_with("M4B")) return "m4a";
    if (brand.starts_with("3g")) return "3gp";
    return "mp4";
  }
  if (name.starts_with("matroska")) {
    const auto& video = probe.video_codec;
    const auto& audio = probe.audio_codec;
    const bool web = (video.empty() || video == "vp8" || video == "vp9" || video == "av1") &&
                     (audio.empty() || audio == "vorbis" || audio == "opus");
    return web ? "webm" : "mkv";
  }
  return std::string(name);
}

}  // namespace

Result<Probe> probe(const Source& source) {
  auto opened = detail::Input::open(source);
  if (!opened) return opened.error();
  auto& input = **opened;

  Probe result;
  result.duration = input.duration();
  result.size_bytes = input.size_bytes();
  if (const auto* video = input.video()) {
    const auto shape = detail::shape_of(*input.format(), *input.video());
    result.has_video = true;
    result.width = shape.shown_width();
    result.height = shape.shown_height();
    result.rotation = shape.rotation;
    result.video_codec = avcodec_get_name(video->codecpar->codec_id);
    const auto rate = av_q2d(video->avg_frame_rate);
    result.frame_rate = std::isfinite(rate) && rate > 0 ? rate : 0;
  }
  if (const auto* audio = input.audio()) {
    result.has_audio = true;
    result.audio_codec = avcodec_get_name(audio->codecpar->codec_id);
    result.language = tag(audio->metadata, "language");
    if (result.language == "und") result.language.clear();
  }
  result.title = tag(input.format()->metadata, "title");
  result.container = container_name(*input.format(), result);
  return result;
}

}  // namespace rushes::media
