#include "media/testing/huge_png.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace rushes::media::testing {
namespace {

std::string big_endian(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> static_cast<unsigned>(shift));
  return bytes;
}

std::string chunk(std::string_view type, std::string_view content) {
  std::uint32_t crc = 0xFFFFFFFF;
  std::string body(type);
  body += content;
  for (const char c : body) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320 : 0);
  }
  return big_endian(static_cast<std::uint32_t>(content.size())) + body + big_endian(~crc);
}

/// `count` zero bytes, compressed (RFC 1950, RFC 1951).
std::string deflated_zeros(std::uint64_t count) {
  std::string out = "\x78\x01";
  unsigned held = 0;
  unsigned bits = 0;
  const auto put = [&](std::string_view code) {
    for (const char bit : code) {
      held |= (bit == '1' ? 1U : 0U) << bits++;
      if (bits < 8) continue;
      out += static_cast<char>(held);
      held = bits = 0;
    }
  };
  constexpr std::string_view kZero = "00110000";
  put("110");  // the last block, of fixed codes
  put(kZero);
  auto left = count - 1;
  for (int run = 1; left >= 258; left -= 258, ++run) {
    put("1100010100000");  // 258 times the byte before
    // Without any change it looks like AMR, whose frames have 13 bytes as well.
    if (run % 100 != 0) continue;
    put(kZero);
    --left;
  }
  for (; left > 0; --left) put(kZero);
  put("0000000");  // its end
  if (bits > 0) out += static_cast<char>(held);
  return out + big_endian(static_cast<std::uint32_t>(count % 65521) << 16U | 1U);
}

}  // namespace

std::string huge_png(unsigned width, unsigned height) {
  using namespace std::string_literals;
  const auto header = big_endian(width) + big_endian(height) + "\x10\x06\0\0\0"s;  // 16 bits, RGBA
  return "\x89PNG\r\n\x1A\n"s + chunk("IHDR", header) +
         chunk("IDAT", deflated_zeros(height * (std::uint64_t{width} * 8 + 1))) + chunk("IEND", {});
}

}  // namespace rushes::media::testing
