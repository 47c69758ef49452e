#pragma once
#include "base/clock.h"
#include "net/message.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rushes::socketio {

/// How a client came in, by its first HTTP request: the same for all namespaces of one connection. In one piece of
/// memory, since every idle connection keeps it.
///
/// Threads: immutable.
class Handshake {
 public:
  Handshake(const net::Request& request, Timestamp issued);

  /// The first value of a header field; empty where it is absent. Those that speak of the connection alone
  /// (`Connection`, `Upgrade`, `Sec-WebSocket-*`, `Content-Length`) are not kept.
  std::string_view header(std::string_view name) const noexcept;
  /// The peer's address, without its port.
  std::string_view address() const noexcept { return std::string_view(text_).substr(0, address_); }
  /// As sent, without the question mark.
  std::string_view query() const noexcept { return std::string_view(text_).substr(address_, query_); }
  Timestamp issued() const noexcept { return issued_; }

 private:
  std::string text_;  // address, query, then `name:value\n` of each field
  std::uint32_t address_;
  std::uint32_t query_;
  Timestamp issued_;
};

}  // namespace rushes::socketio
