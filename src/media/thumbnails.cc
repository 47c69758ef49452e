#include "media/thumbnails.h"

#include "base/file.h"
#include "base/log.h"
#include "media/detail/picture.h"
#include "media/detail/video.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

namespace rushes::media {
namespace {

using detail::FramePtr;

constexpr double kDull = 8;           // a picture of less interest gives way
constexpr int kNeighbours = 3;        // keyframes looked at in its place
constexpr int kMaxDecoded = 6'000;    // frames between keyframes, in all: seconds of CPU at worst
constexpr double kTallest = 4;        // times the greatest width
constexpr double kSameFrame = 0.001;  // seconds

Result<void> check(const ThumbnailOptions& options) {
  if (options.count < 1 || options.count > 100) return Error(Errc::invalid_argument, "thumbnails: count is not 1..100");
  if (options.max_width < 16 || options.max_width > 4096) {
    return Error(Errc::invalid_argument, "thumbnails: max_width is not 16..4096");
  }
  if (options.prefix.empty() || options.prefix.find('/') != std::string::npos) {
    return Error(Errc::invalid_argument, "thumbnails: prefix is no file name");
  }
  return {};
}

/// Chooses the frames: keyframes first, then frames between them where keyframes are too few.
class Picker {
 public:
  Picker(detail::VideoDecoder& video, const ThumbnailOptions& options, const Progress& progress)
      : video_(video), options_(options), progress_(progress) {
    const auto& shape = video.shape();
    const auto factor = std::min({1.0, static_cast<double>(options.max_width) / shape.shown_width(),
                                  kTallest * options.max_width / shape.shown_height()});
    // Even sizes: 4:2:0 shares a colour among four pixels.
    const auto even = [factor](int size) { return std::max(2, static_cast<int>(std::lround(size * factor / 2)) * 2); };
    width_ = even(shape.width);
    height_ = even(shape.height);
    for (int i = 0; i < options.count; ++i) targets_.push_back(video.duration() * (i + 0.5) / options.count);
  }

  /// Pictures by their time. Errors, where there is none: what stopped the decoder, or `MEDIA_UNREADABLE`.
  Result<std::map<double, FramePtr>> pick() {
    pick_keyframes();
    if (static_cast<int>(picked_.size()) < options_.count) pick_between();
    if (picked_.empty()) {
      if (const auto stopped = video_.failure()) return *stopped;
      return not_scaled_.value_or(detail::unreadable_error("no picture can be decoded"));
    }
    return std::move(picked_);
  }

 private:
  struct Candidate {
    double time = 0;
    double interest = 0;
    FramePtr picture;
  };

  std::optional<Candidate> take(const AVFrame& frame) {
    auto picture = detail::scale(frame, width_, height_, options_.format == ImageFormat::jpeg);
    if (!picture) {
      not_scaled_ = picture.error();
      return std::nullopt;
    }
    const auto interest = detail::interest(**picture);
    return Candidate{video_.time(), interest, std::move(*picture)};
  }

  void keep(Candidate candidate) { picked_.insert_or_assign(candidate.time, std::move(candidate.picture)); }

  void pick_keyframes() {
    video_.only_keyframes(true);
    double last = -1;  // time of the last keyframe seen
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const auto until = i + 1 < targets_.size() ? targets_[i + 1] : video_.duration() + 1;
      auto best = seek_keyframe(targets_[i], until, last);
      if (!best) {
        missed_.push_back({std::max(last, 0.0), targets_[i]});
      } else if (best->interest < kDull) {
        missed_.push_back({best->time, targets_[i]});
        spare_.insert_or_assign(targets_[i], std::move(*best));
      } else {
        keep(std::move(*best));
      }
      report(static_cast<double>(i + 1) / static_cast<double>(targets_.size()) / 2);
    }
  }

  /// The most interesting of the keyframes for `target`: the one before it, or one of the next where that is dull.
  /// Nothing where no keyframe was found behind `last`.
  std::optional<Candidate> seek_keyframe(double target, double until, double& last) {
    if (!video_.seek(target)) return std::nullopt;
    std::optional<Candidate> best;
    for (int tries = 0; tries <= kNeighbours; ++tries) {
      const auto* frame = video_.next();
      if (frame == nullptr || video_.time() >= until) break;
      if (video_.time() <= last + kSameFrame) {
        // That keyframe is taken. A later one still fits, but rare keyframes are no reason to go far.
        if (tries == 0) continue;
        break;
      }
      auto candidate = take(*frame);
      if (candidate && (!best || candidate->interest > best->interest)) best = std::move(candidate);
      if (best && best->interest >= kDull) break;
    }
    if (best) last = best->time;
    return best;
  }

  /// Decodes through each run between keyframes in which a target was missed, once.
  void pick_between() {
    video_.only_keyframes(false);
    int decoded = 0;
    double position = -1;  // time up to which all was decoded without seeking; below 0: nowhere
    double run = -1;
    for (std::size_t i = 0; i < missed_.size(); ++i) {
      const auto [keyframe, target] = missed_[i];
      if (position < 0 || keyframe > run + kSameFrame || position > target) {
        if (!video_.seek(std::max(keyframe, 0.0)) && position < 0 && !video_.seek(0)) position = -1;
        run = keyframe;
      }
      std::optional<Candidate> best;
      const AVFrame* frame = nullptr;
      while (decoded < kMaxDecoded && (frame = video_.next()) != nullptr) {
        ++decoded;
        position = video_.time();
        if (position + kSameFrame < target) continue;
        best = take(*frame);
        break;
      }
      settle(target, std::move(best));
      report(0.5 + static_cast<double>(i + 1) / static_cast<double>(missed_.size()) / 2);
    }
    if (decoded >= kMaxDecoded) log::debug("media", "thumbnails: keyframes are too rare, {} made", picked_.size());
  }

  /// Keeps the better of the frame found for `target` and the dull keyframe that was put aside.
  void settle(double target, std::optional<Candidate> found) {
    const auto spare = spare_.find(target);
    if (spare != spare_.end() && (!found || found->interest <= spare->second.interest))
      found = std::move(spare->second);
    if (found) keep(std::move(*found));
  }

  void report(double fraction) const {
    if (progress_) progress_(fraction);
  }

  struct Missed {
    double keyframe;  // from where to decode
    double target;
  };

  detail::VideoDecoder& video_;
  const ThumbnailOptions& options_;
  const Progress& progress_;
  int width_ = 0;
  int height_ = 0;
  std::vector<double> targets_;
  std::map<double, FramePtr> picked_;
  std::vector<Missed> missed_;
  std::optional<Error> not_scaled_;
  std::map<double, Candidate> spare_;  // dull keyframes, by target
};

}  // namespace

Result<std::vector<Thumbnail>> make_thumbnails(const Source& source, const ThumbnailOptions& options,
                                               const Progress& progress) {
  if (const auto checked = check(options); !checked) return checked.error();
  auto video = detail::VideoDecoder::open(source);
  if (!video) return video.error();
  auto picked = Picker(**video, options, progress).pick();
  if (!picked) return picked.error();

  std::vector<Thumbnail> thumbnails;
  for (auto& [time, picture] : *picked) {
    const auto upright = detail::turn(std::move(picture), (*video)->shape().rotation);
    const auto content = detail::encode(*upright, options.format);
    if (!content) return content.error();
    const auto* suffix = options.format == ImageFormat::jpeg ? "jpg" : "webp";
    auto file = options.folder / fmt::format("{}-{:02}.{}", options.prefix, thumbnails.size() + 1, suffix);
    if (const auto written = write_file_atomically(file, *content); !written) return written.error();
    thumbnails.push_back({std::move(file), time, upright->width, upright->height});
  }
  return thumbnails;
}

}  // namespace rushes::media
