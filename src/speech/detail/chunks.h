#pragma once
#include "base/result.h"
#include "media/audio.h"

#include <cstdint>
#include <span>
#include <vector>

namespace rushes::speech::detail {

/// Cuts a recording into pieces of at most 15 s, each at the quietest moment between 9 and 15 s, so that seldom a
/// word is cut. Longer pieces cost the engine memory and time.
///
/// Threads: single-owner.
class ChunkReader {
 public:
  explicit ChunkReader(media::AudioReader& audio);  // outlives us

  /// The next piece; empty at the end. It lives until the next call. Errors: those of AudioReader::read.
  Result<std::span<const std::int16_t>> next();
  /// Where the last piece starts, in seconds.
  double start() const noexcept;

 private:
  media::AudioReader& audio_;
  std::vector<std::int16_t> buffer_;
  std::size_t held_ = 0;        // samples in buffer_
  std::size_t handed_ = 0;      // of them, in the last piece
  std::uint64_t position_ = 0;  // of the last piece, in samples
  bool ended_ = false;
};

/// Where to cut: the middle of the quietest 200 ms of `samples` behind `from`.
std::size_t quietest(std::span<const std::int16_t> samples, std::size_t from) noexcept;

}  // namespace rushes::speech::detail
