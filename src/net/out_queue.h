#pragma once
#include "net/frame.h"
#include "net/websocket_counts.h"

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace rushes::net {

/// What waits to be written to one client: references to frames, in their order.
///
/// A client that is behind does not get what is out of date: past a number of bytes a frame with a topic takes
/// out the one of the same topic that still waits. The new one goes to the end, so that the order of what is left stays
/// that of sending.
///
/// Threads: single-owner.
class OutQueue {
 public:
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

  /// Keeps `counts`, which outlives it, up to date.
  explicit OutQueue(WebSocketCounts& counts) : counts_(counts) {}
  OutQueue(const OutQueue&) = delete;
  OutQueue& operator=(const OutQueue&) = delete;
  ~OutQueue() { counts_.queued_bytes.subtract(bytes_); }

  /// Past `merge_above` bytes the client counts as behind.
  void push(FramePtr frame, std::size_t merge_above = kNever);
  bool empty() const noexcept { return first_ == frames_.size(); }
  /// Frames that wait.
  std::size_t count() const noexcept { return count_; }
  /// Bytes that wait, as they go to a WebSocket.
  std::size_t bytes() const noexcept { return bytes_; }

  /// The next bytes to write, at most `parts.size()` pieces; gives the used ones.
  std::span<iovec> gather(std::span<iovec> parts) const;
  /// `bytes` of them were written; calls `done(frame)` for each frame that went out whole.
  template <class Done>
  void written(std::size_t bytes, Done done) {
    subtract(bytes);
    bytes += offset_;
    offset_ = 0;
    while (first_ < frames_.size()) {
      auto& frame = frames_[first_];
      if (frame && bytes < frame->wire().size()) {
        offset_ = bytes;
        break;
      }
      if (frame) {
        bytes -= frame->wire().size();
        done(*frame);
        frame.reset();
        --count_;
      }
      ++first_;
    }
    tidy();
  }
  /// How many frames it has room for without asking for memory.
  std::size_t capacity() const noexcept { return frames_.capacity(); }
  /// All that waits; none may be half written.
  std::vector<FramePtr> take();

 private:
  using Topics = std::unordered_map<std::uint64_t, std::uint64_t>;

  void take_out_older(const Frame& frame, std::size_t merge_above);
  void subtract(std::size_t bytes) noexcept;
  void tidy();

  WebSocketCounts& counts_;
  std::vector<FramePtr> frames_;  // null: taken out
  std::size_t first_ = 0;
  std::size_t offset_ = 0;  // bytes of the first frame that are written
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t removed_ = 0;       // frames that once stood before frames_[0]
  std::unique_ptr<Topics> topics_;  // the place of each topic's frame, from when it is first behind
};

}  // namespace rushes::net
