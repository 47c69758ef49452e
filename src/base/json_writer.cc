#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cstring>

namespace rushes {
namespace {

constexpr bool needs_escape(unsigned char byte) { return byte < 0x20 || byte == '"' || byte == '\\'; }

constexpr std::uint64_t in_each_byte(std::uint64_t value) { return 0x0101010101010101ULL * value; }

/// Whether any of eight bytes needs one.
constexpr bool needs_escape(std::uint64_t eight) {
  const auto has_zero = [](std::uint64_t bytes) { return (bytes - in_each_byte(1)) & ~bytes & in_each_byte(0x80); };
  const auto control = (eight - in_each_byte(0x20)) & ~eight & in_each_byte(0x80);
  return (control | has_zero(eight ^ in_each_byte('"')) | has_zero(eight ^ in_each_byte('\\'))) != 0;
}

using Sixteen [[gnu::vector_size(16)]] = unsigned char;

bool needs_escape(Sixteen bytes) {
  const auto found = (bytes < 0x20) | (bytes == '"') | (bytes == '\\');
  std::array<std::uint64_t, 2> halves;
  std::memcpy(halves.data(), &found, sizeof found);
  return (halves[0] | halves[1]) != 0;
}

template <class Piece>
Piece load(const char* from) {
  Piece piece;
  std::memcpy(&piece, from, sizeof piece);
  return piece;
}

/// The first place from `from` on that needs one; the text's size where there is none.
std::size_t find_escape(std::string_view text, std::size_t from) {
  while (text.size() - from >= sizeof(Sixteen) && !needs_escape(load<Sixteen>(text.data() + from))) {
    from += sizeof(Sixteen);
  }
  // The rest, with some bytes that were looked at already.
  const auto* const end = text.data() + text.size();
  const auto left = text.size() - from;
  if (left < sizeof(Sixteen) && text.size() >= sizeof(Sixteen)) {
    if (!needs_escape(load<Sixteen>(end - sizeof(Sixteen)))) return text.size();
  } else if (left >= 8 && left < sizeof(Sixteen)) {
    if (!needs_escape(load<std::uint64_t>(text.data() + from)) && !needs_escape(load<std::uint64_t>(end - 8))) {
      return text.size();
    }
  } else if (left >= 4 && left < 8) {
    const auto both = load<std::uint32_t>(text.data() + from) | std::uint64_t{load<std::uint32_t>(end - 4)} << 32U;
    if (!needs_escape(both)) return text.size();
  }
  while (from < text.size() && !needs_escape(static_cast<unsigned char>(text[from]))) ++from;
  return from;
}

void append_escaped(std::string& out, char byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '\\';
  switch (byte) {
    case '"':
    case '\\':
      out += byte;
      return;
    case '\b':
      out += 'b';
      return;
    case '\f':
      out += 'f';
      return;
    case '\n':
      out += 'n';
      return;
    case '\r':
      out += 'r';
      return;
    case '\t':
      out += 't';
      return;
    default:
      out.append("u00").append(1, kHex[static_cast<unsigned char>(byte) >> 4U]).append(1, kHex[byte & 0xF]);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // from here on nothing is copied yet
  for (auto at = find_escape(text, 0); at < text.size(); at = find_escape(text, plain)) {
    out += text.substr(plain, at - plain);
    append_escaped(out, text[at]);
    plain = at + 1;
  }
  out += text.substr(plain);
  out += '"';
}

template <class Number>
JsonWriter& JsonWriter::append_number(Number value) {
  auto* const digits = room_for(kMostJsonDigits);
  size_ += static_cast<std::size_t>(std::to_chars(digits, digits + kMostJsonDigits, value).ptr - digits);
  return *this;
}

JsonWriter::JsonWriter(std::size_t expected_size) : text_(expected_size + 1, '{') {}

void JsonWriter::grow(std::size_t bytes) { text_.resize(2 * text_.size() + bytes); }

JsonWriter& JsonWriter::append_string(std::string_view value) {
  if (find_escape(value, 0) < value.size()) {
    std::string escaped;
    append_json_string(escaped, value);
    return append(escaped);
  }
  auto* const at = room_for(value.size() + 2);
  at[0] = '"';
  value.copy(at + 1, value.size());
  at[value.size() + 1] = '"';
  size_ += value.size() + 2;
  return *this;
}

JsonWriter& JsonWriter::add(JsonName name, const json::value& value) {
  member(name);
  return append(to_json_text(value));
}

JsonWriter& JsonWriter::add(JsonName name, const json::object& value) {
  member(name);
  return append(to_json_text(value));
}

JsonWriter& JsonWriter::add(JsonName name, double value) {
  member(name);
  size_ = static_cast<std::size_t>(write_json_number(room_for(kMostJsonDigits), value) - text_.data());
  return *this;
}

JsonWriter& JsonWriter::append_signed(std::int64_t value) { return append_number(value); }

JsonWriter& JsonWriter::append_unsigned(std::uint64_t value) { return append_number(value); }

}  // namespace rushes
