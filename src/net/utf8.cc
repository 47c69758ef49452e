#include "net/utf8.h"

#include <cstring>

namespace rushes::net {
namespace {

// The state says what must follow: the number of continuation bytes in its low byte, and the bounds
// of the next one above it (they are narrower than 80..BF only for the first of them: no overlong
// forms, no surrogates, nothing above U+10FFFF).
constexpr std::uint32_t expect(std::uint32_t count, std::uint32_t low, std::uint32_t high) {
  return count | (low << 8U) | (high << 16U);
}
constexpr std::uint32_t kInvalid = 0xFFFFFFFF;

std::uint32_t after_lead(std::uint8_t byte) noexcept {
  if (byte < 0x80) return 0;
  if (byte >= 0xC2 && byte <= 0xDF) return expect(1, 0x80, 0xBF);
  if (byte == 0xE0) return expect(2, 0xA0, 0xBF);
  if (byte == 0xED) return expect(2, 0x80, 0x9F);
  if (byte >= 0xE1 && byte <= 0xEF) return expect(2, 0x80, 0xBF);
  if (byte == 0xF0) return expect(3, 0x90, 0xBF);
  if (byte >= 0xF1 && byte <= 0xF3) return expect(3, 0x80, 0xBF);
  if (byte == 0xF4) return expect(3, 0x80, 0x8F);
  return kInvalid;
}

std::uint64_t word_at(const char* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

bool is_ascii(std::uint64_t bytes) noexcept { return (bytes & 0x8080808080808080ULL) == 0; }

}  // namespace

bool Utf8Validator::feed(std::string_view bytes) noexcept {
  if (state_ == kInvalid) return false;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end) {
    if (state_ == 0) {
      while (end - at >= 32 && is_ascii(word_at(at) | word_at(at + 8) | word_at(at + 16) | word_at(at + 24))) at += 32;
      while (end - at >= 8 && is_ascii(word_at(at))) at += 8;
      // The rest, with some bytes that were looked at already.
      if (bytes.size() >= 8 && end - at < 8 && is_ascii(word_at(end - 8))) break;
      if (at == end) break;
      state_ = after_lead(static_cast<std::uint8_t>(*at++));
      if (state_ == kInvalid) return false;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(*at++);
    if (byte < ((state_ >> 8U) & 0xFFU) || byte > ((state_ >> 16U) & 0xFFU)) {
      state_ = kInvalid;
      return false;
    }
    const auto left = (state_ & 0xFFU) - 1;
    state_ = left == 0 ? 0 : expect(left, 0x80, 0xBF);
  }
  return true;
}

bool is_valid_utf8(std::string_view text) noexcept {
  Utf8Validator validator;
  return validator.feed(text) && validator.complete();
}

}  // namespace rushes::net
