#pragma once
#include "net/authority.h"
#include "net/message.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::net {

/// Which pages of other origins may call us with the user's credentials.
struct CorsOptions {
  /// Origins (`https://app.example.com`), or all below a name (`https://*.example.com`). `*` allows every origin, then
  /// without credentials.
  std::vector<std::string> allowed_origins;
  /// This server's own origin, whatever `Host` says: behind a proxy that names another host.
  std::optional<WebOrigin> public_origin;
  /// Pages of localhost also where the request's own host is no loopback name.
  bool allow_localhost = false;
};

/// Whether `text` may stand in `allowed_origins`.
bool is_origin_pattern(std::string_view text);

/// What we say to a page of another origin.
enum class OriginVerdict : std::uint8_t {
  none,       // no `Origin`: not a browser, or its own page's GET
  allowed,    // with credentials
  anonymous,  // allowed by `*`, without credentials
  refused,
};

/// Judges `Origin` against the list and `Request::host`. The request's own origin is one of the same host and port;
/// a host without a port, or with 80 or 443, stands for every port, since proxies write it so whatever theirs is. The
/// scheme is not compared: the proxy may have ended the encryption.
OriginVerdict judge_origin(const CorsOptions& options, const Request& request);

/// One sentence for a page that is refused and its operator: the origin, the host, and the settings that allow it.
std::string origin_refusal(const Request& request);

/// Appends the CORS fields of an answer as lines of an HTTP head.
void write_cors_fields(std::string& head, OriginVerdict verdict, std::string_view origin);

/// Those of an answer to a preflight.
void write_preflight_fields(std::string& head, const Headers& request, std::string_view methods);

}  // namespace rushes::net
