#include "media/detail/input.h"

#include "media/detail/refusals.h"
#include "media/detail/streams.h"
#include "media/limits.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace rushes::media::detail {
namespace {

constexpr int kBufferBytes = 1 << 16;

/// The demuxers that we let in, by libav's names. None of them opens further files (mov's references are off by
/// default); playlists, concat, image sequences, devices and subtitles are not among them.
constexpr std::array<std::string_view, 22> kContainers{"mov,mp4,m4a,3gp,3g2,mj2",
                                                       "matroska,webm",
                                                       "mpegts",
                                                       "mpeg",
                                                       "avi",
                                                       "flv",
                                                       "ogg",
                                                       "asf",
                                                       "mxf",
                                                       "dv",
                                                       "wav",
                                                       "w64",
                                                       "mp3",
                                                       "flac",
                                                       "aac",
                                                       "ac3",
                                                       "eac3",
                                                       "aiff",
                                                       "amr",
                                                       "au",
                                                       "caf",
                                                       "wv"};

// A sound file that is chance bytes gets 1 to 5 from libav; files with large tags in front, 12.
constexpr int kMinProbeScore = 6;

int refuse_open(AVFormatContext* /*format*/, AVIOContext** /*io*/, const char* /*url*/, int /*flags*/,
                AVDictionary** /*options*/) {
  return AVERROR(EPERM);
}

}  // namespace

Result<std::unique_ptr<Input>> Input::open(const Source& source) {
  set_up_libav();
  std::unique_ptr<Input> input(new Input);
  if (const auto opened = input->open_format(source); !opened) return opened.error();
  input->video_ = best_video(*input->format_);
  input->audio_ = best_audio(*input->format_);
  if (input->video_ == nullptr && input->audio_ == nullptr) {
    return Error::for_user(Errc::unsupported, "MEDIA_NO_STREAMS",
                           "The file has neither pictures nor sound that can be read; send a video or audio file.");
  }
  const auto* format = input->format_;
  if (format->start_time != AV_NOPTS_VALUE) input->origin_ = static_cast<double>(format->start_time) / AV_TIME_BASE;
  if (format->duration > 0) input->duration_ = static_cast<double>(format->duration) / AV_TIME_BASE;
  // Browsers record WebM without a duration; raw AAC and MP3 only allow a guess from the size.
  if (input->duration_ <= 0 || format->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE) {
    std::unique_ptr<Input> again(new Input);
    if (again->open_format(source)) {
      again->origin_ = input->origin_;
      const auto measured = again->measure_duration();
      if (measured > 0) input->duration_ = measured;
    }
  }
  if (const auto short_enough = check_duration(input->duration_); !short_enough) return short_enough.error();
  return input;
}

Input::~Input() {
  avformat_close_input(&format_);
  if (io_ != nullptr) {
    av_freep(static_cast<void*>(&io_->buffer));
    avio_context_free(&io_);
  }
}

Result<void> Input::open_format(const Source& source) {
  auto file = source.open();
  if (!file) return file.error();
  file_ = std::move(*file);
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return system_error("look at", source.name());
  if (!S_ISREG(status.st_mode)) return unreadable_error("not a regular file");
  if (status.st_size == 0) {
    return Error::for_user(Errc::unsupported, "MEDIA_EMPTY", "The file is empty (0 bytes); send it again.");
  }
  size_bytes_ = static_cast<std::uint64_t>(status.st_size);

  // libav keeps our address; Input never moves.
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) throw std::bad_alloc();
  io_ = avio_alloc_context(buffer, kBufferBytes, 0, this, read_bytes, nullptr, seek_bytes);
  format_ = avformat_alloc_context();
  if (io_ == nullptr || format_ == nullptr) throw std::bad_alloc();

  const AVInputFormat* container = nullptr;
  // No name is given: content decides.
  const int score = av_probe_input_buffer2(io_, &container, "", nullptr, 0, 0);
  if (score < 0) return decoding_error("container", score);
  if (score < kMinProbeScore) return unreadable_error("no container is likely");
  if (std::find(kContainers.begin(), kContainers.end(), container->name) == kContainers.end()) {
    return unreadable_error(std::string("container not allowed: ") + container->name);
  }
  format_->pb = io_;
  format_->io_open = refuse_open;
  format_->flags |= AVFMT_FLAG_CUSTOM_IO;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file,pipe", 0);
  av_dict_set(&options, "format_whitelist", container->name, 0);
  const int most_streams = format_->max_streams;
  (void)take_refused_stream();
  const int opened = avformat_open_input(&format_, "", container, &options);
  av_dict_free(&options);
  if (opened < 0 && take_refused_stream()) {
    return too_many_streams_error("more than " + std::to_string(most_streams) + " streams", limits().streams);
  }
  if (opened < 0) return decoding_error(container->name, opened);
  return find_streams(*format_);
}

int Input::read_bytes(void* opaque, std::uint8_t* buffer, int size) noexcept {
  auto& input = *static_cast<Input*>(opaque);
  for (;;) {
    const auto count = ::pread(input.file_.get(), buffer, static_cast<std::size_t>(size), input.position_);
    if (count == 0) return AVERROR_EOF;
    if (count > 0) {
      input.position_ += count;
      return static_cast<int>(count);
    }
    if (errno != EINTR) return AVERROR(errno);
  }
}

std::int64_t Input::seek_bytes(void* opaque, std::int64_t offset, int whence) noexcept {
  auto& input = *static_cast<Input*>(opaque);
  const auto size = static_cast<std::int64_t>(input.size_bytes_);
  if ((whence & AVSEEK_SIZE) != 0) return size;
  const int from = whence & ~AVSEEK_FORCE;
  const auto base = from == SEEK_CUR ? input.position_ : from == SEEK_END ? size : 0;
  std::int64_t to = 0;
  if (__builtin_add_overflow(base, offset, &to) || to < 0) return AVERROR(EINVAL);
  return input.position_ = to;
}

void Input::read_only(const AVStream& stream) noexcept {
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (format_->streams[i] != &stream) format_->streams[i]->discard = AVDISCARD_ALL;
  }
}

double Input::measure_duration() {
  const auto packet = make_packet();
  double end = 0;
  while (av_read_frame(format_, packet.get()) >= 0) {
    const auto* stream = format_->streams[packet->stream_index];
    const auto time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (time != AV_NOPTS_VALUE) {
      const auto length = std::max<std::int64_t>(packet->duration, 0);
      end = std::max(end, to_seconds(time, stream->time_base) + to_seconds(length, stream->time_base) - origin_);
    }
    av_packet_unref(packet.get());
  }
  return end;
}

}  // namespace rushes::media::detail
