#include "base/json.h"

#include <algorithm>
#include <cmath>

namespace rushes {
namespace {

/// Boost reads 1e400 as infinite and writes that as `Infinity`, which is no JSON. As deep as the parser let it be.
bool is_finite(const json::value& value) {
  if (const auto* const number = value.if_double()) return std::isfinite(*number);
  if (const auto* const array = value.if_array()) return std::all_of(array->begin(), array->end(), is_finite);
  if (const auto* const object = value.if_object()) {
    return std::all_of(object->begin(), object->end(), [](const auto& member) { return is_finite(member.value()); });
  }
  return true;
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::stream_parser parser({}, options);
  boost::system::error_code failed;
  // A byte order mark is no error: RFC 8259, 8.1.
  const std::size_t mark = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const auto read = mark + parser.write_some(text.data() + mark, text.size() - mark, failed);
  if (!failed && text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
    failed = json::error::extra_data;
  }
  if (!failed) parser.finish(failed);
  if (failed) return Error(Errc::malformed, "not JSON: " + failed.message() + " at byte " + std::to_string(read));
  auto value = parser.release();
  if (!is_finite(value)) return Error(Errc::malformed, "not JSON that can be kept: a number is out of bounds");
  return value;
}

std::optional<std::string> string_member(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return std::string(member->get_string());
}

std::optional<std::int64_t> int_member(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  if (member == nullptr) return std::nullopt;
  if (member->is_int64()) return member->get_int64();
  if (member->is_uint64() && member->get_uint64() <= INT64_MAX) return static_cast<std::int64_t>(member->get_uint64());
  if (member->is_double() && std::trunc(member->get_double()) == member->get_double() &&
      std::abs(member->get_double()) < 9e15) {
    return static_cast<std::int64_t>(member->get_double());
  }
  return std::nullopt;
}

}  // namespace rushes
