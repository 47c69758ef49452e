#pragma once
#include "base/clock.h"
#include "net/message.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace rushes::socketio {

/// How a client came in, by its first HTTP request: the same for all namespaces of one connection. Small, since
/// every idle connection keeps it.
///
/// Threads:   immutable.
/// Ownership: its own; it moves and is not copied.
class Handshake {
 public:
  Handshake(const net::Request& request, Timestamp issued);

  /// The first value of a header field; empty where it is absent. Those that speak of the connection alone
  /// (`Connection`, `Upgrade`, `Sec-WebSocket-*`, `Content-Length`) are not kept.
  std::string_view header(std::string_view name) const noexcept;
  /// The peer's address, without its port.
  std::string_view address() const noexcept { return {text_.get(), address_}; }
  /// As sent, without the question mark.
  std::string_view query() const noexcept { return {text_.get() + address_, query_}; }
  Timestamp issued() const noexcept { return issued_; }

 private:
  std::unique_ptr<char[]> text_;  // address, query, then `name:value\n` of each field, and a NUL
  std::uint32_t address_;
  std::uint32_t query_;
  Timestamp issued_;
};

}  // namespace rushes::socketio
