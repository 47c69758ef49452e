#include "net/authority.h"

#include "base/text.h"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>

namespace rushes::net {
namespace {

constexpr std::size_t kLongestShown = 200;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_name(std::string_view host) {
  const auto in_name = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; };
  return !host.empty() && host.size() <= 253 && host.front() != '.' && host.find("..") == std::string_view::npos &&
         std::all_of(host.begin(), host.end(), in_name);
}

bool is_ipv6(std::string_view text) {
  boost::system::error_code error;
  boost::asio::ip::make_address_v6(std::string(text), error);
  return !error && text.find('%') == std::string_view::npos;
}

bool is_ipv4(std::string_view text) {
  boost::system::error_code error;
  boost::asio::ip::make_address_v4(std::string(text), error);
  return !error;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  const auto end = text.starts_with('[') ? std::min(text.find(']'), text.size() - 1) + 1 : text.find(':');
  auto host = text.substr(0, end);
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || !is_ipv6(host.substr(1, host.size() - 2))) return std::nullopt;
  } else {
    if (!is_name(host)) return std::nullopt;
    if (host.ends_with('.')) host.remove_suffix(1);
  }
  authority.host = to_lower_ascii(host);
  if (end >= text.size()) return authority;
  const auto digits = text.substr(end + 1);
  std::uint16_t port = 0;
  const auto [stop, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (text[end] != ':' || failed != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  authority.port = port;
  return authority;
}

std::optional<WebOrigin> parse_origin(std::string_view text) {
  WebOrigin origin;
  origin.https = text.starts_with("https://");
  if (!origin.https && !text.starts_with("http://")) return std::nullopt;
  auto authority = parse_authority(text.substr(origin.https ? 8 : 7));
  if (!authority) return std::nullopt;
  origin.host = std::move(authority->host);
  origin.port = authority->port.value_or(origin.https ? 443 : 80);
  return origin;
}

bool is_loopback_host(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "[::1]" ||
         (host.starts_with("127.") && is_ipv4(host));
}

bool is_address_literal(std::string_view host) { return host.starts_with('[') || is_ipv4(host); }

bool is_host_pattern(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  const auto authority = parse_authority(text);
  return authority && !authority->port;
}

bool matches_host(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.")) return pattern == host;
  pattern.remove_prefix(1);
  return host.size() > pattern.size() && host.ends_with(pattern);
}

std::string printable(std::string_view text) {
  std::string plain(text.substr(0, kLongestShown));
  for (char& c : plain) {
    if (c < ' ' || c > '~') c = '?';
  }
  return plain;
}

}  // namespace rushes::net
