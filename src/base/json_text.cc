#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace rushes {
namespace {

void append(std::string& out, const json::value& value);

void append(std::string& out, const json::array& array) {
  out += '[';
  for (const auto& element : array) {
    if (&element != array.data()) out += ',';
    append(out, element);
  }
  out += ']';
}

void append(std::string& out, const json::object& object) {
  out += '{';
  for (const auto& member : object) {
    if (&member != object.begin()) out += ',';
    append_json_string(out, member.key());
    out += ':';
    append(out, member.value());
  }
  out += '}';
}

template <class Integer>
void append_integer(std::string& out, Integer value) {
  std::array<char, kMostJsonDigits> digits{};
  auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      return;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case json::kind::int64:
      return append_integer(out, value.get_int64());
    case json::kind::uint64:
      return append_integer(out, value.get_uint64());
    case json::kind::double_: {
      std::array<char, kMostJsonDigits> digits{};
      out.append(digits.data(), write_json_number(digits.data(), value.get_double()));
      return;
    }
    case json::kind::string:
      return append_json_string(out, value.get_string());
    case json::kind::array:
      return append(out, value.get_array());
    case json::kind::object:
      return append(out, value.get_object());
  }
}

template <class Value>
std::string text_of(const Value& value) {
  std::string text;
  append(text, value);
  return text;
}

}  // namespace

char* write_json_number(char* to, double value) {
  if (!std::isfinite(value)) return std::copy_n("null", 4, to);
  if (value == 0) return std::copy_n("0", 1, to);
  const auto size = std::abs(value);
  const auto form = size >= 1e-6 && size < 1e21 ? std::chars_format::fixed : std::chars_format::scientific;
  return std::to_chars(to, to + kMostJsonDigits, value, form).ptr;
}

std::string to_json_text(const json::value& value) { return text_of(value); }
std::string to_json_text(const json::object& value) { return text_of(value); }
std::string to_json_text(const json::array& value) { return text_of(value); }

}  // namespace rushes
