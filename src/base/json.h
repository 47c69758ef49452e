#pragma once
#include "base/result.h"

#include <boost/json.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rushes {

namespace json = boost::json;

/// Levels of arrays and objects that one JSON text may have, in bodies as in packets.
constexpr std::size_t kMaxJsonDepth = 128;

/// Reads one JSON text, at most `max_depth` levels deep and nothing behind it. Half of a surrogate pair (`"\ud83c"`,
/// which RFC 8259, 8.2, allows and JavaScript writes) becomes U+FFFD; numbers are the doubles nearest to their digits.
/// Errors: `malformed`, with the place in words; also for bytes that are not UTF-8 and a number that no double can
/// hold.
Result<json::value> parse_json(std::string_view text, std::size_t max_depth = kMaxJsonDepth);

/// The string member `key`; nothing where it is absent or of another type.
std::optional<std::string> string_member(const json::object& object, std::string_view key);

/// The number member `key` as an integer; nothing where it is absent or not a whole number.
std::optional<std::int64_t> int_member(const json::object& object, std::string_view key);

/// A JSON array of `strings`.
template <class Range>
json::array to_json_array(const Range& strings) {
  json::array array;
  for (const auto& text : strings) array.emplace_back(std::string_view(text));
  return array;
}

}  // namespace rushes
