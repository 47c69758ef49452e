#pragma once
#include "base/json.h"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace rushes {

/// `text` as a JSON string, quotes and all, behind what `out` holds. Bytes that are no UTF-8 go through as they are.
void append_json_string(std::string& out, std::string_view text);

/// A JSON object (RFC 8259) written member by member, without a tree in between: for what is told thousands of times a
/// second. Members stand in the order of their adding; that no name comes twice is the caller's business.
///
/// Threads: single-owner.
class JsonWriter {
 public:
  explicit JsonWriter(std::size_t expected_size = 512) {
    text_.reserve(expected_size);
    text_ += '{';
  }

  JsonWriter& add(std::string_view name, std::string_view value) {
    append_json_string(member(name), value);
    return *this;
  }
  JsonWriter& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }
  JsonWriter& add(std::string_view name, const std::string& value) { return add(name, std::string_view(value)); }
  JsonWriter& add(std::string_view name, const json::value& value);
  JsonWriter& add(std::string_view name, const json::object& value);
  /// The shortest digits that read back as the same number; `null` for what JSON cannot say (infinite, no number).
  JsonWriter& add(std::string_view name, double value);
  JsonWriter& add(std::string_view name, bool value) {
    member(name) += value ? "true" : "false";
    return *this;
  }
  template <std::integral T>
  JsonWriter& add(std::string_view name, T value) {
    if constexpr (std::signed_integral<T>) {
      return add_signed(name, value);
    } else {
      return add_unsigned(name, value);
    }
  }

  /// Opens an object as the member `name`; what is added until `end` belongs to it.
  JsonWriter& begin(std::string_view name) {
    member(name) += '{';
    return *this;
  }
  JsonWriter& end() {
    text_ += '}';
    return *this;
  }

  /// The whole text; the writer is used up.
  std::string take() {
    text_ += '}';
    return std::move(text_);
  }

 private:
  JsonWriter& add_signed(std::string_view name, std::int64_t value);
  JsonWriter& add_unsigned(std::string_view name, std::uint64_t value);
  std::string& member(std::string_view name) {
    if (text_.back() != '{') text_ += ',';
    append_json_string(text_, name);
    text_ += ':';
    return text_;
  }

  std::string text_;
};

}  // namespace rushes
