#include "net/out_queue.h"

#include <algorithm>
#include <utility>

namespace rushes::net {
namespace {

constexpr std::size_t kTidyFrom = 64;

}  // namespace

void OutQueue::push(FramePtr frame, std::size_t merge_above) {
  take_out_older(*frame, merge_above);
  const auto bytes = frame->wire().size();
  bytes_ += bytes;
  counts_.queued_bytes.add(bytes);
  ++count_;
  frames_.push_back(std::move(frame));
}

void OutQueue::subtract(std::size_t bytes) noexcept {
  bytes_ -= bytes;
  counts_.queued_bytes.subtract(bytes);
}

void OutQueue::take_out_older(const Frame& frame, std::size_t merge_above) {
  if (frame.topic() == 0) return;
  if (bytes_ <= merge_above) {
    topics_.reset();  // it misses what is pushed meanwhile
    return;
  }
  const auto place = removed_ + frames_.size();  // of `frame`, once it is pushed
  if (!topics_) {
    topics_ = std::make_unique<Topics>();
    for (std::size_t i = first_; i < frames_.size(); ++i) {
      if (frames_[i] && frames_[i]->topic() != 0) (*topics_)[frames_[i]->topic()] = removed_ + i;
    }
  }
  const auto [found, is_new] = topics_->emplace(frame.topic(), place);
  if (is_new) return;
  const auto older = std::exchange(found->second, place);
  if (older < removed_ + first_) return;
  const auto index = static_cast<std::size_t>(older - removed_);
  const bool half_written = index == first_ && offset_ > 0;
  if (half_written || !frames_[index]) return;
  subtract(frames_[index]->wire().size());
  --count_;
  frames_[index].reset();
  counts_.merged.add(1);
}

std::span<iovec> OutQueue::gather(std::span<iovec> parts) const {
  std::size_t used = 0;
  std::size_t skip = offset_;
  for (std::size_t i = first_; i < frames_.size() && used < parts.size(); ++i) {
    if (!frames_[i]) continue;
    auto wire = frames_[i]->wire();
    wire.remove_prefix(std::exchange(skip, 0));
    parts[used++] = iovec{const_cast<char*>(wire.data()), wire.size()};
  }
  return parts.first(used);
}

void OutQueue::tidy() {
  while (first_ < frames_.size() && !frames_[first_]) ++first_;
  if (first_ == frames_.size()) {
    removed_ += first_;
    frames_.clear();
    first_ = 0;
    topics_.reset();
  } else if (first_ > kTidyFrom && first_ * 2 > frames_.size()) {
    frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(first_));
    removed_ += std::exchange(first_, 0);
  }
  // Of a client that is always behind, topics that came and went.
  if (topics_ && topics_->size() > 4 * (count_ + kTidyFrom)) topics_.reset();
}

std::vector<FramePtr> OutQueue::take() {
  std::vector<FramePtr> all;
  all.reserve(count_);
  for (auto& frame : frames_) {
    if (frame) all.push_back(std::move(frame));
  }
  frames_.clear();
  topics_.reset();
  subtract(bytes_);
  removed_ = first_ = offset_ = count_ = 0;
  return all;
}

}  // namespace rushes::net
