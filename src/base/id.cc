#include "base/id.h"

#include <array>
#include <cstdint>

namespace rushes {

std::string new_uuid(const Clock& clock, Rng& rng) {
  std::array<std::uint8_t, 16> bytes{};
  rng.fill(bytes);
  const auto millis = static_cast<std::uint64_t>(to_millis(clock.now()));
  for (unsigned i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(millis >> (40U - 8U * i));
  bytes[6] = static_cast<std::uint8_t>(0x70U | (bytes[6] & 0x0fU));
  bytes[8] = static_cast<std::uint8_t>(0x80U | (bytes[8] & 0x3fU));

  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[bytes[i] >> 4U];
    text += kHex[bytes[i] & 0x0fU];
  }
  return text;
}

namespace {

constexpr std::uint8_t kNoDigit = 0xff;

/// What each lower-case hexadecimal digit is worth.
constexpr std::array<std::uint8_t, 256> kDigits = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::size_t i = 0; i < 10; ++i) digits['0' + i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < 6; ++i) digits['a' + i] = static_cast<std::uint8_t>(10 + i);
  return digits;
}();

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) noexcept {
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  Uuid id;
  std::uint8_t all = 0;
  const auto read = [&](std::uint64_t& half, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto digit = kDigits[static_cast<std::uint8_t>(text[i])];
      all |= digit;
      half = half << 4U | digit;
    }
  };
  read(id.high, 0, 8);
  read(id.high, 9, 13);
  read(id.high, 14, 18);
  read(id.low, 19, 23);
  read(id.low, 24, 36);
  if ((all & 0xf0U) != 0) return std::nullopt;
  return id;
}

bool is_uuid(std::string_view text) noexcept { return Uuid::parse(text).has_value(); }

}  // namespace rushes
