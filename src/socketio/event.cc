#include "socketio/event.h"

#include "base/json_writer.h"
#include "net/utf8.h"

#include <array>

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
  append_text(text_, to_json_text(value));
}

void Arguments::append(const json::object& value) {
  separate();
  append_text(text_, to_json_text(value));
}

void Arguments::append(const json::array& value) {
  separate();
  append_text(text_, to_json_text(value));
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
  std::string text;
  append_json_string(text, value);
  append_text(text_, text);
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
  std::array<char, kMostJsonDigits> digits{};
  text_.append(digits.data(), write_json_number(digits.data(), value));
}

}  // namespace rushes::socketio
