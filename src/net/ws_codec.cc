#include "net/ws_codec.h"

#include "net/ws_deflate.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace rushes::net {
namespace {

constexpr std::uint8_t kContinuation = 0x0;
constexpr std::uint8_t kText = 0x1;
constexpr std::uint8_t kBinary = 0x2;
constexpr std::uint8_t kClose = 0x8;
constexpr std::uint8_t kPing = 0x9;
constexpr std::uint8_t kPong = 0xA;
constexpr std::size_t kLongestHead = 14;

bool is_control(std::uint8_t opcode) { return (opcode & 0x8U) != 0; }
bool is_known(std::uint8_t opcode) { return opcode <= kBinary || (opcode >= kClose && opcode <= kPong); }

/// Codes that may stand in a close frame (RFC 6455, 7.4.1 and 7.4.2).
bool is_close_code(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

struct WsDecoder::Head {
  std::uint8_t opcode = 0;
  bool fin = false;
  bool compressed = false;  // RSV1
  bool reserved = false;    // RSV2, RSV3
  bool masked = false;
  bool minimal = true;
  std::uint64_t length = 0;
  std::uint8_t mask[4] = {};

  /// How long the head is, judged by its first two bytes.
  static std::size_t size_of(std::uint8_t second) {
    const std::size_t length_bytes = (second & 0x7FU) == 126 ? 2 : (second & 0x7FU) == 127 ? 8 : 0;
    return 2 + length_bytes + ((second & 0x80U) != 0 ? 4 : 0);
  }

  static Head parse(const char* bytes) {
    const auto at = [bytes](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    Head head;
    head.fin = (at(0) & 0x80U) != 0;
    head.compressed = (at(0) & 0x40U) != 0;
    head.reserved = (at(0) & 0x30U) != 0;
    head.opcode = at(0) & 0x0FU;
    head.masked = (at(1) & 0x80U) != 0;
    head.length = at(1) & 0x7FU;
    std::size_t next = 2;
    if (head.length >= 126) {
      const std::size_t count = head.length == 126 ? 2 : 8;
      head.length = 0;
      for (std::size_t i = 0; i < count; ++i) head.length = (head.length << 8U) | at(next++);
      head.minimal = count == 2 ? head.length >= 126 : head.length > 0xFFFF && (head.length >> 63U) == 0;
    }
    if (head.masked) std::memcpy(head.mask, bytes + next, 4);
    return head;
  }
};

/// What is kept of a frame or message whose end has not come yet.
struct WsDecoder::Partial {
  char head[kLongestHead] = {};
  std::size_t head_size = 0;

  bool in_payload = false;
  Head frame;
  std::uint64_t taken = 0;  // of the frame's payload
  std::string control;

  bool in_message = false;
  bool binary = false;
  bool compressed = false;
  std::size_t fragments = 0;
  std::string message;
  Utf8Validator text;
};

void WsDecoder::PartialDeleter::operator()(Partial* partial) const noexcept { delete partial; }

WsDecoder::Partial& WsDecoder::partial() {
  if (!partial_) partial_.reset(new Partial);
  return *partial_;
}

void WsDecoder::forget_if_idle() noexcept {
  if (partial_ && !partial_->in_payload && !partial_->in_message && partial_->head_size == 0) partial_.reset();
}

std::size_t WsDecoder::pinned() const noexcept {
  return partial_ ? sizeof(Partial) + partial_->message.capacity() + partial_->control.capacity() : 0;
}

WsDecoder::Outcome WsDecoder::fail(WsCloseCode code) noexcept {
  failure_ = code;
  return Outcome::failed;
}

WsDecoder::Outcome WsDecoder::feed(std::span<char> bytes, const WsLimits& limits, WsSink& sink) {
  while (!bytes.empty()) {
    if (partial_ && partial_->in_payload) {
      if (const auto outcome = take_payload(bytes, limits, sink); outcome != Outcome::more) return outcome;
      continue;
    }
    Head head;
    if ((partial_ && partial_->head_size > 0) || bytes.size() < 2 ||
        bytes.size() < Head::size_of(static_cast<std::uint8_t>(bytes[1]))) {
      // The head comes in pieces: gather it byte by byte, at most 14 of them.
      auto& kept = partial();
      kept.head[kept.head_size++] = bytes.front();
      bytes = bytes.subspan(1);
      if (kept.head_size < 2 || kept.head_size < Head::size_of(static_cast<std::uint8_t>(kept.head[1]))) continue;
      head = Head::parse(kept.head);
      kept.head_size = 0;
    } else {
      head = Head::parse(bytes.data());
      bytes = bytes.subspan(Head::size_of(static_cast<std::uint8_t>(bytes[1])));
    }
    if (const auto outcome = begin_frame(head, limits); outcome != Outcome::more) return outcome;

    const bool alone = is_control(head.opcode) || (head.fin && head.opcode != kContinuation);
    if (alone && head.length <= bytes.size()) {
      const auto payload = bytes.first(static_cast<std::size_t>(head.length));
      bytes = bytes.subspan(payload.size());
      if (const auto outcome = whole_frame(head, payload, limits, sink); outcome != Outcome::more) return outcome;
      forget_if_idle();
      continue;
    }
    auto& kept = partial();
    kept.in_payload = true;
    kept.frame = head;
    kept.taken = 0;
    if (!is_control(head.opcode)) {
      if (head.opcode != kContinuation) {
        kept.binary = head.opcode == kBinary;
        kept.compressed = head.compressed;
        kept.fragments = 0;
        kept.in_message = true;
      }
      if (++kept.fragments > limits.max_fragments) return fail(WsCloseCode::policy);
    }
    if (head.length == 0) {
      if (const auto outcome = finish_frame(limits, sink); outcome != Outcome::more) return outcome;
    }
  }
  return Outcome::more;
}

WsDecoder::Outcome WsDecoder::begin_frame(const Head& head, const WsLimits& limits) {
  if (head.reserved || !is_known(head.opcode) || !head.masked || !head.minimal)
    return fail(WsCloseCode::protocol_error);
  // Only the first frame of a message says that it is compressed (RFC 7692, 6).
  const bool may_be_compressed = deflate_ && !is_control(head.opcode) && head.opcode != kContinuation;
  if (head.compressed && !may_be_compressed) return fail(WsCloseCode::protocol_error);
  if (is_control(head.opcode)) {
    return head.fin && head.length <= 125 ? Outcome::more : fail(WsCloseCode::protocol_error);
  }
  const bool in_message = partial_ && partial_->in_message;
  if (in_message != (head.opcode == kContinuation)) return fail(WsCloseCode::protocol_error);
  const std::size_t already = in_message ? partial_->message.size() : 0;
  if (head.length > limits.max_message || already + head.length > limits.max_message) return fail(WsCloseCode::too_big);
  return Outcome::more;
}

WsDecoder::Outcome WsDecoder::take_payload(std::span<char>& bytes, const WsLimits& limits, WsSink& sink) {
  auto& kept = *partial_;
  const auto missing = kept.frame.length - kept.taken;
  const auto piece = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(missing, bytes.size())));
  bytes = bytes.subspan(piece.size());
  ws_unmask(piece, kept.frame.mask, static_cast<std::size_t>(kept.taken & 3U));
  kept.taken += piece.size();
  if (is_control(kept.frame.opcode)) {
    kept.control.append(piece.data(), piece.size());
  } else {
    kept.message.append(piece.data(), piece.size());
    if (!kept.binary && !kept.compressed && !kept.text.feed({piece.data(), piece.size()}))
      return fail(WsCloseCode::bad_text);
  }
  return kept.taken == kept.frame.length ? finish_frame(limits, sink) : Outcome::more;
}

WsDecoder::Outcome WsDecoder::finish_frame(const WsLimits& limits, WsSink& sink) {
  auto& kept = *partial_;
  kept.in_payload = false;
  if (is_control(kept.frame.opcode)) {
    const std::string payload = std::exchange(kept.control, {});
    const auto opcode = kept.frame.opcode;
    forget_if_idle();
    return control(opcode, payload, sink);
  }
  if (!kept.frame.fin) return Outcome::more;
  if (!kept.binary && !kept.text.complete()) return fail(WsCloseCode::bad_text);
  const std::string message = std::exchange(kept.message, {});
  const bool binary = kept.binary;
  const bool compressed = kept.compressed;
  kept.in_message = false;
  kept.text.reset();
  forget_if_idle();
  if (compressed) return hand_on_inflated(binary, message, limits, sink);
  return sink.on_ws_message(binary, message) ? Outcome::more : Outcome::stopped;
}

WsDecoder::Outcome WsDecoder::whole_frame(const Head& head, std::span<char> payload, const WsLimits& limits,
                                          WsSink& sink) {
  ws_unmask(payload, head.mask, 0);
  const std::string_view view(payload.data(), payload.size());
  if (is_control(head.opcode)) return control(head.opcode, view, sink);
  if (head.compressed) return hand_on_inflated(head.opcode == kBinary, view, limits, sink);
  if (head.opcode == kText && !is_valid_utf8(view)) return fail(WsCloseCode::bad_text);
  return sink.on_ws_message(head.opcode == kBinary, view) ? Outcome::more : Outcome::stopped;
}

WsDecoder::Outcome WsDecoder::hand_on_inflated(bool binary, std::string_view payload, const WsLimits& limits,
                                               WsSink& sink) {
  const auto message = ws_inflate(payload, limits.max_message);
  if (!message) return fail(message.error().code() == Errc::too_large ? WsCloseCode::too_big : WsCloseCode::bad_text);
  if (!binary && !is_valid_utf8(*message)) return fail(WsCloseCode::bad_text);
  return sink.on_ws_message(binary, *message) ? Outcome::more : Outcome::stopped;
}

WsDecoder::Outcome WsDecoder::control(std::uint8_t opcode, std::string_view payload, WsSink& sink) {
  if (opcode == kPing) return sink.on_ws_ping(payload) ? Outcome::more : Outcome::stopped;
  if (opcode == kPong) return Outcome::more;
  std::uint16_t code = 1005;
  if (!payload.empty()) {
    if (payload.size() < 2) return fail(WsCloseCode::protocol_error);
    code = static_cast<std::uint16_t>((static_cast<std::uint8_t>(payload[0]) << 8U) |
                                      static_cast<std::uint8_t>(payload[1]));
    if (!is_close_code(code)) return fail(WsCloseCode::protocol_error);
    payload.remove_prefix(2);
    if (!is_valid_utf8(payload)) return fail(WsCloseCode::bad_text);
  }
  sink.on_ws_close(code, payload);
  return Outcome::stopped;
}

void ws_unmask(std::span<char> bytes, const std::uint8_t (&mask)[4], std::size_t offset) noexcept {
  std::uint8_t turned[8];
  for (std::size_t i = 0; i < 8; ++i) turned[i] = mask[(offset + i) & 3U];
  std::uint64_t wide;
  std::memcpy(&wide, turned, 8);
  char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    word ^= wide;
    std::memcpy(at, &word, 8);
  }
  for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(static_cast<std::uint8_t>(at[i]) ^ turned[i & 3U]);
}

std::string ws_accept_key(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  unsigned char encoded[4 * ((SHA_DIGEST_LENGTH + 2) / 3) + 1];
  const int size = ::EVP_EncodeBlock(encoded, digest, SHA_DIGEST_LENGTH);
  return {reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size)};
}

}  // namespace rushes::net
