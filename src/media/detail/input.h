#pragma once
#include "base/file.h"
#include "base/result.h"
#include "media/detail/av.h"
#include "media/source.h"

#include <cstdint>
#include <memory>

namespace rushes::media::detail {

/// A media file that is open for reading, demultiplexed by libav.
///
/// libav reads through our own descriptor and may open nothing else; only containers of a short list are let in.
///
/// Threads: single-owner.
class Input {
 public:
  /// Errors: those of `probe` (media/probe.h).
  static Result<std::unique_ptr<Input>> open(const Source& source);

  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  AVFormatContext* format() noexcept { return format_; }
  /// The stream that a player would show; null without one. Cover pictures are none.
  AVStream* video() noexcept { return video_; }
  AVStream* audio() noexcept { return audio_; }
  /// Drops the packets of all other streams.
  void read_only(const AVStream& stream) noexcept;
  /// Seconds on the file's own clock that are time 0 for us.
  double origin() const noexcept { return origin_; }
  /// Seconds; 0 where it can neither be read nor measured.
  double duration() const noexcept { return duration_; }
  std::uint64_t size_bytes() const noexcept { return size_bytes_; }

 private:
  Input() = default;
  Result<void> open_format(const Source& source);
  static int read_bytes(void* opaque, std::uint8_t* buffer, int size) noexcept;
  static std::int64_t seek_bytes(void* opaque, std::int64_t offset, int whence) noexcept;
  /// Reads all packets for the time of the last one.
  double measure_duration();

  FileDescriptor file_;
  std::uint64_t size_bytes_ = 0;
  std::int64_t position_ = 0;  // of the next byte that libav reads
  AVIOContext* io_ = nullptr;
  AVFormatContext* format_ = nullptr;
  AVStream* video_ = nullptr;
  AVStream* audio_ = nullptr;
  double origin_ = 0;
  double duration_ = 0;
};

}  // namespace rushes::media::detail
