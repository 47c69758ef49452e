#pragma once
#include "base/result.h"
#include "net/headers.h"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::net {

/// A list of networks.
///
/// Threads: immutable.
class AddressRanges {
 public:
  AddressRanges() = default;

  /// Reads `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`, `loopback` (127.0.0.0/8, ::1) and `private` (10.0.0.0/8,
  /// 172.16.0.0/12, 192.168.0.0/16, fc00::/7). Errors: `invalid_argument`, with the word that is none of them; a
  /// network of all addresses is refused too.
  static Result<AddressRanges> parse(const std::vector<std::string>& words);

  bool contains(const boost::asio::ip::address& address) const;
  bool empty() const noexcept { return ranges_.empty(); }

 private:
  using Bytes = std::array<unsigned char, 16>;  // IPv4 as ::ffff:a.b.c.d
  struct Range {
    Bytes network;
    unsigned bits;
  };
  static Bytes bytes_of(const boost::asio::ip::address& address);
  static bool add(std::string_view word, std::vector<Range>& ranges);

  std::vector<Range> ranges_;
};

/// Who sent a request, and under which address, as far as it is known.
struct ClientView {
  std::string address;          // the client's
  std::string scheme = "http";  // or https: what the client spoke
  std::string host;             // as the client named it: `app.example:8443`
  std::string prefix;           // what a proxy took off the path: `/rushes`; mostly empty
};

/// Reads `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix`, or `Forwarded` (RFC 7239) where there is no
/// `X-Forwarded-For`, if `peer` is one of `trusted`; else the view of the connection and of `Host`.
///
/// The client is the right-most address of the chain that is not trusted: what stands left of it is the client's own
/// word. A hop that is no address ends the chain at the one that named it. Scheme and host are the last ones given.
/// `ws` and `wss` count as http and https. What cannot be read is ignored.
ClientView view_of_client(const AddressRanges& trusted, std::string_view peer, const Headers& headers);

/// Whether a proxy has left a trace: `Forwarded`, `X-Forwarded-*`, `X-Real-IP`, `Via`.
bool has_proxy_fields(const Headers& headers);

}  // namespace rushes::net
