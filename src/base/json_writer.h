#pragma once
#include "base/json.h"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace rushes {

/// `value` as one line of JSON (RFC 8259), with numbers as JavaScript writes them: the fewest digits that read back as
/// the same double, and an exponent only from 1e21 on and below 1e-6. What JSON cannot say (infinite, no number) is
/// `null`. Nothing else in the project writes JSON: `json::serialize` has exponents everywhere (`2.5E0`).
std::string to_json_text(const json::value& value);
std::string to_json_text(const json::object& value);
std::string to_json_text(const json::array& value);

/// `text` as a JSON string, quotes and all, behind what `out` holds. Bytes that are no UTF-8 go through as they are.
void append_json_string(std::string& out, std::string_view text);

/// Room that a number takes at most.
constexpr std::size_t kMostJsonDigits = 32;

/// Writes `value` at `to`, which has room for kMostJsonDigits, as `to_json_text` does; returns its end.
char* write_json_number(char* to, double value);

/// The name of a member: a literal, which is searched for what needs escapes when it is compiled.
class JsonName {
 public:
  template <std::size_t N>
  consteval JsonName(const char (&literal)[N])  // NOLINT(google-explicit-constructor): it stands for the literal
      : text_(literal, N - 1), is_plain_(std::all_of(text_.begin(), text_.end(), [](char byte) {
          return static_cast<unsigned char>(byte) >= 0x20 && byte != '"' && byte != '\\';
        })) {}
  constexpr std::string_view text() const noexcept { return text_; }
  constexpr bool is_plain() const noexcept { return is_plain_; }

 private:
  std::string_view text_;
  bool is_plain_;
};

/// A JSON object (RFC 8259) written member by member, without a tree in between: for what is told thousands of times a
/// second. Members stand in the order of their adding; that no name comes twice is the caller's business.
///
/// Threads: single-owner.
class JsonWriter {
 public:
  explicit JsonWriter(std::size_t expected_size = 512);

  JsonWriter& add(JsonName name, std::string_view value) {
    member(name);
    return append_string(value);
  }
  JsonWriter& add(JsonName name, const char* value) { return add(name, std::string_view(value)); }
  JsonWriter& add(JsonName name, const std::string& value) { return add(name, std::string_view(value)); }
  JsonWriter& add(JsonName name, const json::value& value);
  JsonWriter& add(JsonName name, const json::object& value);
  /// As `to_json_text` writes it.
  JsonWriter& add(JsonName name, double value);
  JsonWriter& add(JsonName name, bool value) {
    member(name);
    return append(value ? "true" : "false");
  }
  template <std::integral T>
  JsonWriter& add(JsonName name, T value) {
    member(name);
    if constexpr (std::signed_integral<T>) {
      return append_signed(value);
    } else {
      return append_unsigned(value);
    }
  }

  /// Opens an object as the member `name`; what is added until `end` belongs to it.
  JsonWriter& begin(JsonName name) {
    member(name);
    return append('{');
  }
  JsonWriter& end() { return append('}'); }

  /// The whole text; the writer is used up.
  std::string take() {
    append('}');
    text_.resize(size_);
    return std::move(text_);
  }

 private:
  /// Where the next `bytes` are written; `size_` is the caller's to move.
  char* room_for(std::size_t bytes) {
    if (text_.size() - size_ < bytes) grow(bytes);
    return text_.data() + size_;
  }
  void grow(std::size_t bytes);
  JsonWriter& append(std::string_view text) {
    size_ += text.copy(room_for(text.size()), text.size());
    return *this;
  }
  JsonWriter& append(char byte) {
    *room_for(1) = byte;
    ++size_;
    return *this;
  }
  // Inlined, a name is a few stores: it is known when the program is compiled.
  [[gnu::always_inline]] void member(JsonName name) {
    const auto text = name.text();
    auto* at = room_for(text.size() + 4);
    if (at[-1] != '{') *at++ = ',';
    if (name.is_plain()) {
      *at++ = '"';
      std::memcpy(at, text.data(), text.size());
      at += text.size();
      *at++ = '"';
      *at++ = ':';
    }
    size_ = static_cast<std::size_t>(at - text_.data());
    if (!name.is_plain()) append_string(text).append(':');
  }
  JsonWriter& append_string(std::string_view value);
  template <class Number>
  JsonWriter& append_number(Number value);
  JsonWriter& append_signed(std::int64_t value);
  JsonWriter& append_unsigned(std::uint64_t value);

  std::string text_;      // longer than what is written
  std::size_t size_ = 1;  // the brace
};

}  // namespace rushes
