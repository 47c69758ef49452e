#include "media/detail/av.h"

#include "base/log.h"
#include "base/text.h"
#include "media/detail/refusals.h"
#include "media/limits.h"

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>

namespace rushes::media::detail {
namespace {

constexpr std::int64_t kPixelBytes = 8;         // RGBA of 16 bits: the largest
constexpr std::int64_t kOtherBytes = 64 << 20;  // for whatever is no picture: tables, packets
constexpr std::int64_t kMaxSamples = 1 << 20;   // of a decoded frame of sound: 22 s at 48 kHz

void write_log(void* /*source*/, int level, const char* format, va_list arguments) {
  const bool refusal = level <= AV_LOG_ERROR && std::strstr(format, " exceeds ") != nullptr;
  const bool written = level <= AV_LOG_WARNING && log::writes(log::Level::debug);
  if (!refusal && !written) return;
  std::array<char, 512> line{};
  (void)std::vsnprintf(line.data(), line.size(), format, arguments);
  if (refusal) note_log_line(line.data());
  if (!written) return;
  // The words may quote the file's bytes.
  for (char& c : line) {
    if (c != '\0' && (c < 0x20 || c > 0x7E)) c = ' ';
  }
  log::debug("libav", "{}", trim(line.data()));
}

template <class T>
T* checked(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

}  // namespace

FramePtr make_frame() { return FramePtr(checked(av_frame_alloc())); }
PacketPtr make_packet() { return PacketPtr(checked(av_packet_alloc())); }

std::string av_words(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> words{};
  (void)av_strerror(error, words.data(), words.size());
  return words.data();
}

Error av_error(std::string_view doing, int error) {
  if (error == AVERROR(ENOMEM)) return memory_error();
  return {Errc::internal, std::string("media: ") + std::string(doing) + ": " + av_words(error)};
}

Error unreadable_error(std::string_view what) {
  log::debug("media", "unreadable: {}", what);
  return Error::for_user(Errc::unsupported, "MEDIA_UNREADABLE",
                         "The file is not a video or audio file that can be read: it is damaged, incomplete or of "
                         "another type. Send an MP4, MOV, WebM, MKV, MP3, M4A or WAV file that plays.");
}

Error memory_error() {
  return Error::for_user(Errc::too_large, "JOB_OUT_OF_MEMORY",
                         "The work on this file needs more memory than the server allows for a job; send a smaller or "
                         "simpler file.");
}

Error decoding_error(std::string_view what, int error) {
  if (error == AVERROR(ENOMEM)) return memory_error();
  return unreadable_error(std::string(what) + ": " + av_words(error));
}

Error no_video_error() {
  return Error::for_user(Errc::unsupported, "MEDIA_NO_VIDEO", "The file has no pictures; send one with a video track.");
}

Error no_audio_error() {
  return Error::for_user(Errc::unsupported, "MEDIA_NO_AUDIO", "The file has no sound; send one with an audio track.");
}

Result<CodecContextPtr> open_decoder(const AVStream& stream) {
  const auto* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (codec == nullptr) {
    return unreadable_error(std::string("no decoder for ") + avcodec_get_name(stream.codecpar->codec_id));
  }
  CodecContextPtr decoder(checked(avcodec_alloc_context3(codec)));
  if (const int error = avcodec_parameters_to_context(decoder.get(), stream.codecpar); error < 0) {
    return decoding_error("parameters", error);
  }
  decoder->pkt_timebase = stream.time_base;
  decoder->thread_count = 1;
  decoder->max_pixels = limits().pixels_per_picture;
  decoder->max_samples = kMaxSamples;
  if (const int error = avcodec_open2(decoder.get(), codec, nullptr); error < 0) {
    return decoding_error(codec->name, error);
  }
  return decoder;
}

void set_up_libav() {
  static std::once_flag once;
  std::call_once(once, [] {
    av_log_set_callback(write_log);
    av_max_alloc(static_cast<std::size_t>(limits().pixels_per_picture * kPixelBytes + kOtherBytes));
  });
}

}  // namespace rushes::media::detail
