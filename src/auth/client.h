#pragma once
#include <string>
#include <string_view>

namespace rushes::auth {

/// Where a credential came from: what the request itself says.
struct Client {
  std::string address;     // of the peer, without its port
  std::string user_agent;  // header; empty: none
};

/// The network of an address: `192.0.2.0/24`, `2001:db8:1::/48`. An IPv4 address written as IPv6 is the IPv4 address.
/// Empty where `address` is none.
std::string network_of(std::string_view address);

/// `Chrome`, `Firefox`, `Safari`, `Edge`, `Opera`, `curl`, or `another program`.
std::string_view browser_of(std::string_view user_agent) noexcept;

}  // namespace rushes::auth
