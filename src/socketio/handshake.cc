#include "socketio/handshake.h"

#include "base/text.h"

#include <algorithm>
#include <string>

namespace rushes::socketio {
namespace {

bool is_of_connection(std::string_view name) {
  constexpr std::string_view kWebSocket = "Sec-WebSocket-";
  return equals_ignore_case(name, "Connection") || equals_ignore_case(name, "Upgrade") ||
         equals_ignore_case(name, "Content-Length") ||
         equals_ignore_case(name.substr(0, kWebSocket.size()), kWebSocket);
}

}  // namespace

Handshake::Handshake(const net::Request& request, Timestamp issued)
    : address_(static_cast<std::uint32_t>(request.remote_address.size())),
      query_(static_cast<std::uint32_t>(request.query.size())),
      issued_(issued) {
  std::string text = request.remote_address + request.query;
  for (const auto field : request.headers) {
    if (is_of_connection(field.name)) continue;
    text.append(field.name).append(1, ':').append(field.value).append(1, '\n');  // neither holds a line break
  }
  text_ = std::make_unique_for_overwrite<char[]>(text.size() + 1);
  std::copy_n(text.c_str(), text.size() + 1, text_.get());
}

std::string_view Handshake::header(std::string_view name) const noexcept {
  std::string_view rest(text_.get() + address_ + query_);
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto field = rest.substr(0, end);
    const auto colon = std::min(field.find(':'), field.size());
    if (equals_ignore_case(field.substr(0, colon), name)) return field.substr(std::min(colon + 1, field.size()));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

}  // namespace rushes::socketio
