#include "net/host.h"

#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <charconv>
#include <string>

namespace rushes::net {
namespace {

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// A registered name of RFC 3986, 3.2.2, but for the comma: two names in one field are a list, and no host.
bool is_name(std::string_view name) {
  constexpr std::string_view kMarks = "-._~!$&'()*+;=";
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '%') {
      if (i + 2 >= name.size() || !is_hex(name[i + 1]) || !is_hex(name[i + 2])) return false;
      i += 2;
      continue;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && kMarks.find(c) == std::string_view::npos) return false;
  }
  return true;
}

bool is_port(std::string_view text) {
  if (text.empty()) return true;  // `a:`, as the grammar has it
  unsigned port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port <= 65'535;
}

}  // namespace

bool is_host(std::string_view text) {
  if (text.starts_with(':')) return false;
  if (!text.starts_with('[')) {
    const auto colon = std::min(text.find(':'), text.size());
    return is_name(text.substr(0, colon)) && (colon == text.size() || is_port(text.substr(colon + 1)));
  }
  const auto close = text.find(']');
  if (close == std::string_view::npos) return false;
  const std::string address(text.substr(1, close - 1));
  boost::system::error_code failed;
  boost::asio::ip::make_address_v6(address, failed);
  // A zone means something on the client's machine only.
  if (failed || address.find('%') != std::string::npos) return false;
  const auto rest = text.substr(close + 1);
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

}  // namespace rushes::net
