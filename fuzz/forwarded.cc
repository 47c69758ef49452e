// What a client writes about itself before a proxy adds its own line: it never becomes another client, and never a path
// or a host that is none. One field a line, `Name: value`.
#include "net/forwarded.h"

#include "net/authority.h"
#include "net/cors.h"
#include "require.h"

#include <algorithm>
#include <string>

using namespace rushes;
using fuzz::require;

namespace {

net::Headers fields_of(std::string_view text) {
  net::Headers headers;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && colon > 0) headers.add(line.substr(0, colon), line.substr(colon + 1));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return headers;
}

bool is_address(const std::string& text) {
  boost::system::error_code error;
  boost::asio::ip::make_address(text, error);
  return !error;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto trusted = net::AddressRanges::parse({"10.0.0.0/8"}).value();
  auto headers = fields_of(fuzz::as_text(bytes, size));

  const auto stranger = net::view_of_client(trusted, "203.0.113.9", headers);
  require(stranger.address == "203.0.113.9", "a stranger is who it is");
  require(stranger.prefix.empty() && stranger.scheme == "http", "and is not believed");
  require(stranger.host == headers.get("Host"), "not in its host either");

  const auto view = net::view_of_client(trusted, "10.0.0.1", headers);
  require(is_address(view.address), "a client is an address");
  require(view.host == headers.get("Host") || net::parse_authority(view.host).has_value(), "a host is a host");
  require(view.prefix.empty() || (view.prefix.front() == '/' && view.prefix.back() != '/'), "a prefix is a path");
  require(view.prefix.find("//") == std::string::npos && view.prefix.find("/.") == std::string::npos, "a plain one");
  require(view.prefix.find_first_of("\\\"'<>?#%:@ \r\n\t") == std::string::npos, "of plain characters");

  net::Request request;
  request.headers = headers;
  request.host = view.host;
  net::CorsOptions options;
  options.allowed_origins = {"https://*.app.example"};
  if (net::judge_origin(options, request) == net::OriginVerdict::allowed) {
    const auto origin = net::parse_origin(headers.get("Origin"));
    const auto host = net::parse_authority(view.host);
    require(origin.has_value(), "what is allowed is an origin");
    require((host && (origin->host == host->host ||
                      (net::is_loopback_host(origin->host) && net::is_loopback_host(host->host)))) ||
                (origin->https && origin->port == 443 && origin->host.ends_with(".app.example")),
            "the server's own, or one of the list");
  }

  auto standard = headers;
  standard.erase("X-Forwarded-For");
  standard.add("Forwarded", "for=198.51.100.7");
  require(net::view_of_client(trusted, "10.0.0.1", standard).address == "198.51.100.7", "a proxy's line stands");
  headers.add("X-Forwarded-For", "198.51.100.7");
  require(net::view_of_client(trusted, "10.0.0.1", headers).address == "198.51.100.7", "a proxy's line stands");
  return 0;
}
