#include "speech/detail/chunks.h"

#include <algorithm>
#include <cmath>

namespace rushes::speech::detail {
namespace {

constexpr std::size_t kRate = media::AudioReader::kSampleRate;
constexpr std::size_t kLongest = 15 * kRate;
constexpr std::size_t kShortest = 9 * kRate;
constexpr std::size_t kStep = kRate / 50;  // 20 ms
constexpr std::size_t kWindow = 10;        // steps: 200 ms

}  // namespace

std::size_t quietest(std::span<const std::int16_t> samples, std::size_t from) noexcept {
  const auto steps = (samples.size() - from) / kStep;
  if (steps <= kWindow) return samples.size();
  const auto energy = [&](std::size_t step) {
    double sum = 0;
    for (const auto sample : samples.subspan(from + step * kStep, kStep)) sum += static_cast<double>(sample) * sample;
    return sum;
  };
  double sum = 0;
  for (std::size_t i = 0; i < kWindow; ++i) sum += energy(i);
  auto least = sum;
  std::size_t best = 0;
  for (std::size_t i = kWindow; i < steps; ++i) {
    sum += energy(i) - energy(i - kWindow);
    // Of equals the last: fewer pieces.
    if (sum <= least) {
      least = sum;
      best = i + 1 - kWindow;
    }
  }
  return from + (best + kWindow / 2) * kStep;
}

ChunkReader::ChunkReader(media::AudioReader& audio) : audio_(audio), buffer_(kLongest) {}

Result<std::span<const std::int16_t>> ChunkReader::next() {
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(handed_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(held_), buffer_.begin());
  held_ -= handed_;
  position_ += handed_;
  handed_ = 0;
  if (!ended_) {
    const auto read = audio_.read(std::span(buffer_).subspan(held_));
    if (!read) return read.error();
    held_ += *read;
    ended_ = held_ < buffer_.size();
  }
  const auto held = std::span<const std::int16_t>(buffer_).first(held_);
  handed_ = ended_ ? held_ : quietest(held, kShortest);
  return held.first(handed_);
}

double ChunkReader::start() const noexcept { return static_cast<double>(position_) / kRate; }

}  // namespace rushes::speech::detail
