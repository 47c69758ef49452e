#include "media/detail/av.h"

#include "base/log.h"
#include "base/text.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <new>

namespace rushes::media::detail {
namespace {

constexpr std::int64_t kMaxPixels = 40'000'000;  // 8K has 33 million; each costs some bytes of memory

void write_log(void* /*source*/, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING || !log::writes(log::Level::debug)) return;
  std::array<char, 512> line{};
  (void)std::vsnprintf(line.data(), line.size(), format, arguments);
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
  return {Errc::internal, std::string("media: ") + std::string(doing) + ": " + av_words(error)};
}

Error unreadable_error(std::string_view what) {
  log::debug("media", "unreadable: {}", what);
  return Error::for_user(Errc::unsupported, "MEDIA_UNREADABLE",
                         "The file is not a video or audio file that can be read: it is damaged, incomplete or of "
                         "another type. Send an MP4, MOV, WebM, MKV, MP3, M4A or WAV file that plays.");
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
    return unreadable_error(av_words(error));
  }
  decoder->pkt_timebase = stream.time_base;
  decoder->thread_count = 1;
  decoder->max_pixels = kMaxPixels;
  if (const int error = avcodec_open2(decoder.get(), codec, nullptr); error < 0) {
    return unreadable_error(std::string(codec->name) + ": " + av_words(error));
  }
  return decoder;
}

void redirect_log() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(write_log); });
}

}  // namespace rushes::media::detail
