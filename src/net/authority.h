#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rushes::net {

/// `host[:port]` of a `Host` field or a URL.
struct Authority {
  std::string host;  // lower case, without a trailing dot; IPv6 addresses in brackets
  std::optional<std::uint16_t> port;
};

/// Nothing where `text` is no host with an optional port (RFC 3986, 3.2.2): user info, blanks, an empty port.
std::optional<Authority> parse_authority(std::string_view text);

/// `scheme://host[:port]` of a web page (RFC 6454).
struct WebOrigin {
  bool https = false;
  std::string host;        // as in Authority
  std::uint16_t port = 0;  // the scheme's default where none is written

  bool operator==(const WebOrigin&) const = default;
};

/// Nothing for other schemes, a path, and `null`.
std::optional<WebOrigin> parse_origin(std::string_view text);

/// `localhost`, names below it, 127.0.0.0/8 and `[::1]`.
bool is_loopback_host(std::string_view host);
/// `192.0.2.7` or `[2001:db8::1]`.
bool is_address_literal(std::string_view host);

/// A host's name for lists in the configuration: `app.example`, or `*.app.example` for every name below it.
bool is_host_pattern(std::string_view text);
/// Whether `pattern`, in lower case, is `host`, or is `*.` and a name that `host` stands below.
bool matches_host(std::string_view pattern, std::string_view host);

/// What a client wrote, fit for a log and an answer: at most 200 bytes, each not printable ASCII as `?`.
std::string printable(std::string_view text);

}  // namespace rushes::net
