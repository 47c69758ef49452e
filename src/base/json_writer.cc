#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace rushes {
namespace {

constexpr bool needs_escape(unsigned char byte) { return byte < 0x20 || byte == '"' || byte == '\\'; }

constexpr std::uint64_t in_each_byte(std::uint64_t value) { return 0x0101010101010101ULL * value; }

/// Whether any of eight bytes needs one: exact for the first of them, and that is where the search stops.
constexpr bool may_need_escape(std::uint64_t eight) {
  const auto has_zero = [](std::uint64_t bytes) { return (bytes - in_each_byte(1)) & ~bytes & in_each_byte(0x80); };
  const auto control = (eight - in_each_byte(0x20)) & ~eight & in_each_byte(0x80);
  return (control | has_zero(eight ^ in_each_byte('"')) | has_zero(eight ^ in_each_byte('\\'))) != 0;
}

/// The first place from `from` on that needs one; the text's size where there is none.
std::size_t find_escape(std::string_view text, std::size_t from) {
  std::uint64_t eight = 0;
  while (from + sizeof eight <= text.size()) {
    std::memcpy(&eight, text.data() + from, sizeof eight);
    if (may_need_escape(eight)) break;
    from += sizeof eight;
    if (text.size() - from >= sizeof eight) continue;
    // The last ones, with some that were looked at already.
    std::memcpy(&eight, text.data() + text.size() - sizeof eight, sizeof eight);
    if (!may_need_escape(eight)) return text.size();
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

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> digits;
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), written.ptr);
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

JsonWriter& JsonWriter::add(std::string_view name, const json::value& value) {
  member(name) += json::serialize(value);
  return *this;
}

JsonWriter& JsonWriter::add(std::string_view name, const json::object& value) {
  member(name) += json::serialize(value);
  return *this;
}

JsonWriter& JsonWriter::add(std::string_view name, double value) {
  auto& out = member(name);
  if (std::isfinite(value)) {
    append_number(out, value);
  } else {
    out += "null";
  }
  return *this;
}

JsonWriter& JsonWriter::add_signed(std::string_view name, std::int64_t value) {
  append_number(member(name), value);
  return *this;
}

JsonWriter& JsonWriter::add_unsigned(std::string_view name, std::uint64_t value) {
  append_number(member(name), value);
  return *this;
}

}  // namespace rushes
