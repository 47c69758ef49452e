#pragma once
#include "base/result.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::net {

/// A URL that passed the syntactic check, in a form that every reader understands the same way.
struct CheckedUrl {
  std::string url;   // normalised: ASCII only, literal addresses in their usual form
  std::string host;  // lower case, without brackets and trailing dot
  std::uint16_t port = 0;
  bool https = false;
  std::optional<boost::asio::ip::address> literal;  // where the host is an address, however it was written
};

/// Decides which addresses may be reached on behalf of a user who names a URL: public ones only.
///
/// Refused are private networks (RFC 1918, CGNAT, ULA, site-local), loopback, link-local, cloud metadata,
/// unspecified, multicast, broadcast, reserved, benchmarking and documentation ranges, and every IPv6 form
/// that carries an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo). `allow_private` opens the private
/// networks and loopback, never metadata, link-local or the ranges that no host can have. An exception opens
/// one endpoint, whatever it is; port 0 in it means every port.
///
/// A check of a name is worth nothing if the name is resolved again afterwards: connect to the endpoints that
/// `resolve_and_check` or `allowed_of` gave, and check again after each redirect.
///
/// Threads:  immutable.
/// Errors:   for users: `URL_INVALID`, `URL_SCHEME`, `URL_PRIVATE_ADDRESS`, `URL_UNRESOLVED`. None is retryable.
class AddressFilter {
 public:
  using Endpoint = boost::asio::ip::tcp::endpoint;

  explicit AddressFilter(bool allow_private = false, std::vector<Endpoint> exceptions = {});

  /// Whether `address` may be connected to at `port`. Errors: `URL_PRIVATE_ADDRESS`.
  Result<void> check(const boost::asio::ip::address& address, std::uint16_t port) const;

  /// The syntactic check, for the moment a URL is submitted: no network, no DNS, never blocks. http and https
  /// only, a host, no user info, at most 2,048 bytes; literal addresses, also in odd forms (`2130706433`,
  /// `0x7f.1`, `0177.0.0.1`, `[::ffff:127.0.0.1]`) and `localhost` names are held against `check`.
  /// Characters that people paste but RFC 3986 does not know are percent-encoded.
  Result<CheckedUrl> check_url(std::string_view url) const;

  /// Of resolved endpoints those that may be connected to; never empty.
  /// Errors: `URL_UNRESOLVED` when there are none at all, `URL_PRIVATE_ADDRESS` when all are refused.
  Result<std::vector<Endpoint>> allowed_of(std::string_view host, std::vector<Endpoint> resolved) const;

  /// Resolves once, BLOCKING (DNS), and gives the endpoints to connect to. `host` may be a literal address.
  /// Errors: as `allowed_of`.
  Result<std::vector<Endpoint>> resolve_and_check(const std::string& host, std::uint16_t port) const;

 private:
  bool allow_private_;
  std::vector<Endpoint> exceptions_;
};

/// The IPv4 or IPv6 address that `host` stands for in any form that a C library or a browser accepts
/// (decimal, hexadecimal, octal, fewer than four parts); nothing where it is a name.
std::optional<boost::asio::ip::address> literal_address(std::string_view host);

/// "192.0.2.1:8080", "[2001:db8::1]:8080", or an address alone (port 0, every port): an exception from
/// configuration. Errors: `invalid_argument`.
Result<AddressFilter::Endpoint> parse_endpoint(std::string_view text);

}  // namespace rushes::net
