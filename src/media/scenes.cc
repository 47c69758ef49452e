#include "media/scenes.h"

#include "media/detail/picture.h"
#include "media/detail/video.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace rushes::media {
namespace {

constexpr int kWidth = 32;
constexpr int kHeight = 18;
constexpr double kLeast = 16;          // mean difference, 0..255, below which nothing is a cut
constexpr double kTimesUsual = 3;      // and it stands out from the usual change
constexpr double kShortest = 0.5;      // seconds between cuts
constexpr double kStep = 0.2;          // seconds between keyframes that directly follow each other
constexpr double kMostOfBudget = 0.5;  // of the pixels that may be decoded; the rest is for thumbnails

/// The mean difference of two small pictures, brightness and both colours.
double difference(const AVFrame& a, const AVFrame& b) noexcept {
  double sum = 0;
  for (int plane = 0; plane < 3; ++plane) {
    const int width = plane == 0 ? kWidth : kWidth / 2;
    const int height = plane == 0 ? kHeight : kHeight / 2;
    for (int y = 0; y < height; ++y) {
      const auto* left = a.data[plane] + std::ptrdiff_t{y} * a.linesize[plane];
      const auto* right = b.data[plane] + std::ptrdiff_t{y} * b.linesize[plane];
      for (int x = 0; x < width; ++x) sum += std::abs(left[x] - right[x]);
    }
  }
  return sum / (kWidth * kHeight);
}

struct Change {
  double time = 0;
  double difference = 0;
};

}  // namespace

Result<std::vector<double>> scene_cuts(const Source& source, const Progress& progress) {
  auto opened = detail::VideoDecoder::open(source);
  if (!opened) return opened.error();
  auto& video = **opened;
  video.only_keyframes(true, kStep);

  std::vector<Change> changes;
  detail::FramePtr before;
  double reported = 0;
  while (detail::VideoDecoder::budget_used() < kMostOfBudget) {
    const auto* frame = video.next();
    if (frame == nullptr) break;
    auto small = detail::scale(*frame, kWidth, kHeight, false);
    if (!small) return small.error();
    if (before) changes.push_back({video.time(), difference(*before, **small)});
    before = std::move(*small);
    const auto fraction = video.duration() > 0 ? std::min(1.0, video.time() / video.duration()) : 0;
    if (progress && fraction > reported) progress(reported = fraction);
  }
  if (!before && video.failure()) return *video.failure();
  if (progress && reported < 1) progress(1);
  if (changes.empty()) return std::vector<double>{};

  // What is usual: the lower quartile, as a video of many cuts has large changes at half of its keyframes.
  auto sorted = changes;
  const auto quarter = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 4);
  std::nth_element(sorted.begin(), quarter, sorted.end(),
                   [](const Change& a, const Change& b) { return a.difference < b.difference; });
  const auto usual = std::min(quarter->difference, kLeast);
  std::vector<double> cuts;
  for (const auto& change : changes) {
    if (change.difference < std::max(kLeast, usual * kTimesUsual)) continue;
    if (cuts.empty() || change.time - cuts.back() >= kShortest) cuts.push_back(change.time);
  }
  return cuts;
}

}  // namespace rushes::media
