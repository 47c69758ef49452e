// JSON: what is read is finite UTF-8 within its depth, and comes back as it was when it is written.
#include "base/json.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "require.h"

#include <algorithm>

using namespace rushes;
using fuzz::require;

namespace {

/// A whole number may come back as an integer.
bool same(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  if (const auto* const array = a.if_array()) {
    const auto* const other = b.if_array();
    if (other == nullptr || array->size() != other->size()) return false;
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (!same((*array)[i], (*other)[i])) return false;
    }
    return true;
  }
  if (const auto* const object = a.if_object()) {
    const auto* const other = b.if_object();
    if (other == nullptr || object->size() != other->size()) return false;
    for (const auto& member : *object) {
      const auto* const value = other->if_contains(member.key());
      if (value == nullptr || !same(member.value(), *value)) return false;
    }
    return true;
  }
  return a == b;
}

std::size_t depth_of(const json::value& value) {
  std::size_t deepest = 0;
  if (const auto* const array = value.if_array()) {
    for (const auto& element : *array) deepest = std::max(deepest, depth_of(element));
  } else if (const auto* const object = value.if_object()) {
    for (const auto& member : *object) deepest = std::max(deepest, depth_of(member.value()));
  } else {
    return 0;
  }
  return deepest + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  const auto value = parse_json(text);
  if (!value) {
    require(value.error().what().starts_with("not JSON: "), "a refusal says what it is about");
    return 0;
  }
  require(is_utf8(text), "JSON is UTF-8");
  require(depth_of(*value) <= kMaxJsonDepth, "the limit of depth is kept");
  const auto written = to_json_text(*value);
  require(is_utf8(written) && written.find('\n') == std::string::npos, "what is written is one line of UTF-8");
  const auto again = parse_json(written);
  require(again.has_value() && same(*value, *again), "what is written reads back as the same");
  require(to_json_text(*again) == written, "and is written the same again");
  return 0;
}
