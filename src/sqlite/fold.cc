#include "sqlite/fold.h"

#include <wctype.h>

#include <clocale>
#include <cstdint>
#include <cwctype>

namespace rushes::sqlite {
namespace {

/// glibc's own table of letters, whatever language the server runs in.
char32_t lower(char32_t letter) {
  static const ::locale_t kUnicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (kUnicode == nullptr) return letter;
  return static_cast<char32_t>(::towlower_l(static_cast<wint_t>(letter), kUnicode));
}

void append(std::string& text, char32_t letter) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80U | ((letter >> shift) & 0x3FU)); };
  if (letter < 0x800) {
    text += static_cast<char>(0xC0U | (letter >> 6U));
  } else if (letter < 0x10000) {
    text += static_cast<char>(0xE0U | (letter >> 12U));
    tail(6);
  } else {
    text += static_cast<char>(0xF0U | (letter >> 18U));
    tail(12);
    tail(6);
  }
  tail(0);
}

/// The letter of several bytes at the text's front and how many they are; none where it is broken.
struct Letter {
  char32_t value = 0;
  std::size_t bytes = 0;
};
Letter letter_at_front(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  const std::size_t size = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : byte(0) >= 0xC2 ? 2 : 0;
  if (size == 0 || size > text.size() || byte(0) > 0xF4) return {};
  char32_t value = byte(0) & (0x7FU >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xC0U) != 0x80U) return {};
    value = (value << 6U) | (byte(at) & 0x3FU);
  }
  return {value, size};
}

}  // namespace

std::string fold_case(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  while (!text.empty()) {
    const char first = text.front();
    if (static_cast<std::uint8_t>(first) < 0x80) {
      folded += first >= 'A' && first <= 'Z' ? static_cast<char>(first - 'A' + 'a') : first;
      text.remove_prefix(1);
      continue;
    }
    const auto letter = letter_at_front(text);
    const auto small = letter.bytes == 0 ? letter.value : lower(letter.value);
    if (small == letter.value || small < 0x80) {  // as it is, and a byte at a time where it is broken
      const auto bytes = letter.bytes == 0 ? 1 : letter.bytes;
      folded += text.substr(0, bytes);
      text.remove_prefix(bytes);
      continue;
    }
    append(folded, small);
    text.remove_prefix(letter.bytes);
  }
  return folded;
}

}  // namespace rushes::sqlite
