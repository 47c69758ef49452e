#include "net/cors.h"

#include "base/text.h"

#include <algorithm>

namespace rushes::net {
namespace {

/// What pages of other origins may read of an answer, besides what browsers always show.
constexpr std::string_view kExposed =
    "Access-Control-Expose-Headers: Allow, Content-Disposition, Content-Range, Date, ETag, Link, Location, "
    "Preference-Applied, Retry-After, Rushes-Job-Id, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, "
    "Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset, WWW-Authenticate\r\n";

/// `https://*.example.com[:port]` as the origin of what stands behind `*.`.
std::optional<WebOrigin> parse_wildcard(std::string_view text) {
  const auto star = text.find("://*.");
  if (star == std::string_view::npos) return std::nullopt;
  std::string plain(text);
  plain.erase(star + 3, 2);
  return parse_origin(plain);
}

bool matches(std::string_view pattern, const WebOrigin& origin) {
  if (const auto exact = parse_origin(pattern)) return *exact == origin;
  const auto below = parse_wildcard(pattern);
  return below && below->https == origin.https && below->port == origin.port &&
         matches_host("*." + below->host, origin.host);
}

bool is_own(const WebOrigin& origin, std::string_view host) {
  const auto own = parse_authority(host);
  if (!own || own->host != origin.host) return false;
  const auto port = own->port.value_or(80);
  return port == 80 || port == 443 || port == origin.port;
}

bool is_on_loopback(std::string_view host) {
  const auto authority = parse_authority(host);
  return authority && is_loopback_host(authority->host);
}

}  // namespace

bool is_origin_pattern(std::string_view text) { return parse_origin(text) || parse_wildcard(text); }

OriginVerdict judge_origin(const CorsOptions& options, const Request& request) {
  const auto text = request.headers.find("Origin");
  if (!text) return OriginVerdict::none;
  const auto& allowed = options.allowed_origins;
  if (const auto origin = parse_origin(*text)) {
    const auto matches_it = [&](const std::string& pattern) { return matches(pattern, *origin); };
    if (is_own(*origin, request.host) || origin == options.public_origin) return OriginVerdict::allowed;
    if (std::any_of(allowed.begin(), allowed.end(), matches_it)) return OriginVerdict::allowed;
    if (is_loopback_host(origin->host) && (options.allow_localhost || is_on_loopback(request.host))) {
      return OriginVerdict::allowed;
    }
  }
  if (std::find(allowed.begin(), allowed.end(), "*") != allowed.end()) return OriginVerdict::anonymous;
  return OriginVerdict::refused;
}

std::string origin_refusal(const Request& request) {
  return "Pages of the origin " + printable(request.headers.get("Origin")) + " may not connect to " +
         printable(request.host) +
         ": set public_url where this is the server's own address, else add it to cors_origins.";
}

void write_cors_fields(std::string& head, OriginVerdict verdict, std::string_view origin) {
  if (verdict == OriginVerdict::anonymous) {
    head += "Access-Control-Allow-Origin: *\r\n";
  } else if (verdict == OriginVerdict::allowed) {
    head += "Access-Control-Allow-Origin: ";
    head += origin;
    head += "\r\nAccess-Control-Allow-Credentials: true\r\n";
  }
  if (verdict == OriginVerdict::anonymous || verdict == OriginVerdict::allowed) head += kExposed;
  if (verdict != OriginVerdict::none) head += "Vary: Origin\r\n";
}

void write_preflight_fields(std::string& head, const Headers& request, std::string_view methods) {
  head += "Access-Control-Allow-Methods: ";
  head += methods;
  head += "\r\n";
  if (const auto wanted = request.find("Access-Control-Request-Headers")) {
    head += "Access-Control-Allow-Headers: ";
    head += *wanted;
    head += "\r\n";
  }
  head += "Access-Control-Max-Age: 600\r\n";
}

}  // namespace rushes::net
