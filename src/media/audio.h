#pragma once
#include "base/result.h"
#include "media/source.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace rushes::media {

/// The sound of a media file as a stream of 16 kHz mono samples, signed 16 bit, native endian.
///
/// Sample n is heard at n / 16,000 s of the recording: holes in the file's sound are filled with silence, so
/// that times agree with the pictures. Broken packets are skipped.
///
/// Threads: single-owner.
/// Cost: constant memory, whatever the length; about 1/900 of real time on one core.
class AudioReader {
 public:
  static constexpr int kSampleRate = 16'000;

  /// Opens the best sound stream of the file. Errors: those of `probe`; `MEDIA_NO_AUDIO` where there is no sound;
  /// `MEDIA_UNREADABLE` where its codec cannot be decoded.
  static Result<std::unique_ptr<AudioReader>> open(const Source& source);

  ~AudioReader();
  AudioReader(const AudioReader&) = delete;
  AudioReader& operator=(const AudioReader&) = delete;

  /// Fills `samples` from its start and returns how many were written; fewer than asked only at the end, 0 after it.
  /// Errors: `MEDIA_UNREADABLE` where no packet at all could be decoded; `MEDIA_TOO_LONG` where there is more sound
  /// than allowed, holes included, whatever the file says; `JOB_OUT_OF_MEMORY`.
  Result<std::size_t> read(std::span<std::int16_t> samples);

  /// Seconds, as the file says; 0 where it does not.
  double duration() const noexcept;
  /// Seconds handed out so far.
  double position() const noexcept;

 private:
  class Impl;
  explicit AudioReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rushes::media
