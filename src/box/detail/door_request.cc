#include "box/detail/door_request.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>

namespace rushes::box::detail {
namespace {

Error malformed(std::string_view why) { return {Errc::malformed, std::string(why)}; }

/// Takes the next line off `rest`.
std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
  return line;
}

bool read_number(std::string_view text, std::uint64_t& value) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size();
}

/// "host", "host:port" or "[v6]:port".
bool read_authority(std::string_view authority, DoorRequest& request) {
  const auto close = authority.starts_with('[') ? authority.find(']') : 0;
  if (close == std::string_view::npos) return false;
  auto host = authority;
  if (const auto colon = authority.find(':', close); colon != std::string_view::npos) {
    std::uint64_t port = 0;
    if (!read_number(authority.substr(colon + 1), port) || port == 0 || port > 65'535) return false;
    request.port = static_cast<std::uint16_t>(port);
    host = authority.substr(0, colon);
  }
  const bool bracketed = host.starts_with('[');
  if (bracketed) {
    if (!host.ends_with(']')) return false;
    host = host.substr(1, host.size() - 2);
  }
  // No other character is in a name or an address; with one, two readers might see two hosts.
  const auto plain = [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || c == '.' || (bracketed ? c == ':' : c == '-' || c == '_');
  };
  if (host.empty() || host.size() > 253 || !std::all_of(host.begin(), host.end(), plain)) return false;
  request.host = host;
  return request.port != 0;
}

}  // namespace

Result<DoorRequest> read_door_request(std::string_view head) {
  DoorRequest request;
  const auto line = next_line(head);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !line.substr(last).starts_with(" HTTP/1.")) {
    return malformed("not an HTTP/1 request");
  }
  const auto method = line.substr(0, first);
  auto target = line.substr(first + 1, last - first - 1);
  if (target.find(' ') != std::string_view::npos) return malformed("a blank in the target");

  std::string authority;
  request.report = method == "GET" && target == "/incident";
  request.tunnel = method == "CONNECT";
  if (request.tunnel) {
    authority = target;
  } else if (!request.report) {
    constexpr std::string_view kScheme = "http://";
    if (!equals_ignore_case(target.substr(0, kScheme.size()), kScheme)) return malformed("not an absolute http URL");
    target.remove_prefix(kScheme.size());
    authority = target.substr(0, target.find_first_of("/?#"));
    target.remove_prefix(authority.size());
    request.port = 80;
  }
  if (!request.report && !read_authority(authority, request)) return malformed("no host and port that can be read");

  std::string kept;
  while (!head.empty()) {
    const auto field = next_line(head);
    if (field.empty()) break;
    const auto colon = field.find(':');
    if (colon == std::string_view::npos || field.front() == ' ' || field.front() == '\t')
      return malformed("a bad header");
    const auto name = to_lower_ascii(field.substr(0, colon));
    const auto value = trim(field.substr(colon + 1));
    if (name == "proxy-authorization") {
      request.authorization = value;
    } else if (name == "transfer-encoding") {
      return malformed("chunked requests are not supported");
    } else if (name == "content-length" && !read_number(value, request.body_length)) {
      return malformed("a bad Content-Length");
    } else if (name != "host" && name != "connection" && name != "keep-alive" && name != "upgrade" && name != "te" &&
               name != "accept-encoding" && !name.starts_with("proxy-")) {
      kept.append(field).append("\r\n");
    }
  }
  if (!request.tunnel && !request.report) {
    request.forward_head.append(method).append(" ").append(target.starts_with('/') ? "" : "/").append(target);
    request.forward_head.append(" HTTP/1.1\r\nHost: ").append(authority).append("\r\nConnection: close\r\n");
    request.forward_head.append("Accept-Encoding: identity\r\n");
    request.forward_head.append(kept).append("\r\n");
  }
  return request;
}

}  // namespace rushes::box::detail
