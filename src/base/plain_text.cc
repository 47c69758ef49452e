#include "base/plain_text.h"

namespace rushes {
namespace {

bool is_break(std::string_view rest) {
  return rest[0] == '\t' || rest[0] == '\n' || rest[0] == '\r' || rest.starts_with("\u2028") ||
         rest.starts_with("\u2029");
}

/// How many bytes of a character that is left out stand at the beginning of `rest`.
std::size_t unwanted(std::string_view rest) {
  const auto at = [&](std::size_t i) { return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U; };
  if (at(0) < 0x20 || at(0) == 0x7F) return 1;
  if (at(0) == 0xC2 && at(1) >= 0x80 && at(1) < 0xA0) return 2;
  if (at(0) != 0xE2) return 0;
  const bool turns =
      (at(1) == 0x80 && at(2) >= 0xAA && at(2) <= 0xAE) || (at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9);
  return turns ? 3 : 0;
}

}  // namespace

std::string plain_line(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    if (is_break(text)) {
      plain += ' ';
      text.remove_prefix(text[0] == '\xE2' ? 3 : 1);
    } else if (const auto bytes = unwanted(text); bytes > 0) {
      text.remove_prefix(bytes);
    } else {
      plain += text[0];
      text.remove_prefix(1);
    }
  }
  return plain;
}

}  // namespace rushes
