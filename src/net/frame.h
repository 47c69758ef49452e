#pragma once
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace rushes::net {

class Frame;
/// A reference to a Frame; copying it counts, nothing else.
using FramePtr = boost::intrusive_ptr<const Frame>;

/// One message, encoded once for all who get it: a server's WebSocket frame (unmasked, so that all
/// recipients share the bytes), whose payload serves long-polling as well.
///
/// Threads:  immutable; the reference count is atomic.
/// Cost:     one allocation for all.
class Frame {
 public:
  /// A text message of the concatenated parts, which must be UTF-8.
  static FramePtr text(std::string_view payload, std::string_view more = {}, std::string_view yet_more = {});
  /// The same of an event: it knows when it was made, and a newer one of the same `topic` (0: none) makes it out of
  /// date, see OutQueue.
  static FramePtr event(std::uint64_t topic, std::string_view payload, std::string_view more = {},
                        std::string_view yet_more = {});
  /// The same of as many parts as there are.
  static FramePtr event(std::uint64_t topic, std::initializer_list<std::string_view> parts);
  static FramePtr binary(std::string_view payload);
  /// A close frame; `reason` is cut at 123 bytes.
  static FramePtr close(std::uint16_t code, std::string_view reason);
  static FramePtr pong(std::string_view payload);
  /// Bytes that are no frame: the answer to the handshake.
  static FramePtr raw(std::string_view bytes);

  /// The same message compressed (RFC 7692), made once for all who take it; itself where that is no shorter.
  FramePtr deflated() const;

  /// The frame as it goes to a WebSocket.
  std::string_view wire() const noexcept { return {bytes(), head_ + size_}; }
  /// The message alone.
  std::string_view payload() const noexcept { return {bytes() + head_, size_}; }
  bool is_binary() const noexcept { return binary_; }
  /// Whether it is the bytes of a handshake, and no frame.
  bool is_raw() const noexcept { return head_ == 0; }
  std::uint64_t topic() const noexcept { return topic_; }
  /// When an event was made, in nanoseconds of the steady clock; 0 for other frames.
  std::int64_t made_at() const noexcept { return made_at_; }

 private:
  Frame(std::size_t head, std::size_t size, bool binary) noexcept
      : size_(size), head_(static_cast<std::uint8_t>(head)), binary_(binary) {}
  ~Frame();
  /// `allocate` and `make` give a frame with one reference, which this takes over.
  static FramePtr owned(Frame* frame) { return FramePtr(frame, false); }
  static Frame* allocate(std::size_t head, std::size_t size, bool binary);
  static Frame* make(std::uint8_t opcode, std::initializer_list<std::string_view> parts);
  const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }

  friend void intrusive_ptr_add_ref(const Frame* frame) noexcept;
  friend void intrusive_ptr_release(const Frame* frame) noexcept;

  mutable std::atomic<std::uint32_t> references_{1};
  mutable std::atomic<const Frame*> deflated_{nullptr};  // referred to, but for itself
  std::uint64_t topic_ = 0;
  std::int64_t made_at_ = 0;
  std::size_t size_;
  std::uint8_t head_;
  bool binary_;
};

}  // namespace rushes::net
