#pragma once
#include "base/json.h"
#include "base/result.h"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::socketio {

/// JSON text that is known to be valid and goes out as it stands, so that nothing is built twice.
struct RawJson {
  std::string_view text;
};

/// Bytes that go out as a binary attachment: an ArrayBuffer or Buffer at the client.
struct Binary {
  std::string_view bytes;
};

/// The arguments of an outgoing event or acknowledgement, serialised once: JSON text of each,
/// separated by commas, and the attachments that it refers to.
///
/// Threads: immutable once built.
class Arguments {
 public:
  template <class... T>
  explicit Arguments(const T&... values) {
    (append(values), ...);
  }
  /// Each element an argument; `{"_placeholder": true, "num": n}` refers to `attachments[n]`.
  static Arguments from_array(const json::array& values, std::vector<std::string> attachments = {});

  const std::string& text() const noexcept { return text_; }
  const std::vector<std::string>& attachments() const noexcept { return attachments_; }

 private:
  void append(const json::value& value);
  void append(const json::object& value);
  void append(const json::array& value);
  void append(RawJson value);
  void append(Binary value);
  void append(std::string_view value);
  void append(const std::string& value) { append(std::string_view(value)); }
  void append(const char* value) { append(std::string_view(value)); }
  void append(std::nullptr_t) { append(RawJson{"null"}); }
  void append(bool value) { append(RawJson{value ? "true" : "false"}); }
  void append(std::int64_t value);
  void append(std::uint64_t value);
  void append(double value);
  template <std::signed_integral T>
  void append(T value) {
    append(static_cast<std::int64_t>(value));
  }
  template <std::unsigned_integral T>
  void append(T value) {
    append(static_cast<std::uint64_t>(value));
  }
  void separate();

  std::string text_;
  std::vector<std::string> attachments_;
};

/// What a client sent: the arguments behind the event's name. Binary arguments stand in `args` as
/// `{"_placeholder": true, "num": n}`, checked to lie within `attachments`.
struct Event {
  std::string name;
  json::array args;
  std::vector<std::string> attachments;
};

}  // namespace rushes::socketio
