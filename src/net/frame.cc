#include "net/frame.h"

#include "net/ws_deflate.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <string>

namespace rushes::net {
namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kCompressed = 0x40;  // RSV1
constexpr std::uint8_t kText = 0x1;
constexpr std::uint8_t kBinary = 0x2;
constexpr std::uint8_t kClose = 0x8;
constexpr std::uint8_t kPong = 0xA;

std::size_t head_size(std::size_t payload) { return payload < 126 ? 2 : payload <= 0xFFFF ? 4 : 10; }

void write_head(char* out, std::uint8_t opcode, std::size_t payload) {
  out[0] = static_cast<char>(kFinal | opcode);
  if (payload < 126) {
    out[1] = static_cast<char>(payload);
    return;
  }
  const int bytes = payload <= 0xFFFF ? 2 : 8;
  out[1] = static_cast<char>(bytes == 2 ? 126 : 127);
  for (int i = 0; i < bytes; ++i) out[2 + i] = static_cast<char>(payload >> (8 * (bytes - 1 - i)));
}

}  // namespace

void intrusive_ptr_add_ref(const Frame* frame) noexcept { frame->references_.fetch_add(1, std::memory_order_relaxed); }

void intrusive_ptr_release(const Frame* frame) noexcept {
  // Whoever holds the only reference needs no locked instruction to give it up.
  if (frame->references_.load(std::memory_order_acquire) != 1 &&
      frame->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  frame->~Frame();
  ::operator delete(const_cast<Frame*>(frame));
}

Frame::~Frame() {
  const auto* deflated = deflated_.load(std::memory_order_relaxed);
  if (deflated != nullptr && deflated != this) intrusive_ptr_release(deflated);
}

FramePtr Frame::deflated() const {
  if (const auto* made = deflated_.load(std::memory_order_acquire)) return made;
  const auto packed = ws_deflate(payload());
  const Frame* result = this;
  if (packed.size() < size_) {
    Frame* frame = make(kCompressed | (binary_ ? kBinary : kText), {packed});
    frame->binary_ = binary_;
    frame->topic_ = topic_;
    frame->made_at_ = made_at_;
    result = frame;
  }
  const Frame* expected = nullptr;
  if (deflated_.compare_exchange_strong(expected, result, std::memory_order_acq_rel)) return result;
  if (result != this) intrusive_ptr_release(result);  // another shard was quicker
  return expected;
}

Frame* Frame::allocate(std::size_t head, std::size_t size, bool binary) {
  void* memory = ::operator new(sizeof(Frame) + head + size);
  return new (memory) Frame(head, size, binary);
}

Frame* Frame::make(std::uint8_t opcode, std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  const std::size_t head = head_size(size);
  Frame* frame = allocate(head, size, opcode == kBinary);
  char* out = frame->bytes();
  write_head(out, opcode, size);
  out += head;
  for (const auto part : parts) out = std::copy(part.begin(), part.end(), out);
  return frame;
}

FramePtr Frame::text(std::string_view payload, std::string_view more, std::string_view yet_more) {
  return owned(make(kText, {payload, more, yet_more}));
}

FramePtr Frame::event(std::uint64_t topic, std::string_view payload, std::string_view more, std::string_view yet_more) {
  return event(topic, {payload, more, yet_more});
}

FramePtr Frame::event(std::uint64_t topic, std::initializer_list<std::string_view> parts) {
  Frame* frame = make(kText, parts);
  frame->topic_ = topic;
  frame->made_at_ = std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  return owned(frame);
}

FramePtr Frame::binary(std::string_view payload) { return owned(make(kBinary, {payload})); }

FramePtr Frame::close(std::uint16_t code, std::string_view reason) {
  const char bytes[2] = {static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
  return owned(make(kClose, {std::string_view(bytes, 2), reason.substr(0, 123)}));
}

FramePtr Frame::pong(std::string_view payload) { return owned(make(kPong, {payload})); }

FramePtr Frame::raw(std::string_view bytes) {
  Frame* frame = allocate(0, bytes.size(), false);
  std::memcpy(frame->bytes(), bytes.data(), bytes.size());
  return owned(frame);
}

}  // namespace rushes::net
