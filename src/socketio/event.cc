#include "socketio/event.h"

#include "net/utf8.h"

#include <charconv>
#include <cmath>

namespace rushes::socketio {
namespace {

/// What is no UTF-8 would cost the receiver its connection: such bytes become U+FFFD.
void append_text(std::string& out, std::string_view text) {
  if (net::is_valid_utf8(text)) {
    out += text;
    return;
  }
  while (!text.empty()) {
    std::size_t length = 1;
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead >= 0x80) length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    const auto piece = text.substr(0, length);
    if (piece.size() == length && net::is_valid_utf8(piece)) {
      out += piece;
      text.remove_prefix(length);
    } else {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    }
  }
}

}  // namespace

Arguments Arguments::from_array(const json::array& values, std::vector<std::string> attachments) {
  Arguments arguments;
  for (const auto& value : values) arguments.append(value);
  arguments.attachments_ = std::move(attachments);
  return arguments;
}

void Arguments::separate() {
  if (!text_.empty()) text_ += ',';
}

void Arguments::append(const json::value& value) {
  separate();
  append_text(text_, json::serialize(value));
}

void Arguments::append(const json::object& value) {
  separate();
  append_text(text_, json::serialize(value));
}

void Arguments::append(const json::array& value) {
  separate();
  append_text(text_, json::serialize(value));
}

void Arguments::append(RawJson value) {
  separate();
  append_text(text_, value.text);
}

void Arguments::append(Binary value) {
  separate();
  text_ += "{\"_placeholder\":true,\"num\":" + std::to_string(attachments_.size()) + "}";
  attachments_.emplace_back(value.bytes);
}

void Arguments::append(std::string_view value) {
  separate();
  append_text(text_, json::serialize(json::string_view(value.data(), value.size())));
}

void Arguments::append(std::int64_t value) {
  separate();
  text_ += std::to_string(value);
}

void Arguments::append(std::uint64_t value) {
  separate();
  text_ += std::to_string(value);
}

void Arguments::append(double value) {
  separate();
  if (!std::isfinite(value)) {
    text_ += "null";  // as JavaScript writes it
    return;
  }
  char digits[32];
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  text_.append(digits, result.ptr);
}

}  // namespace rushes::socketio
