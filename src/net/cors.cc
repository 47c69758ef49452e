#include "net/cors.h"

#include "base/text.h"

#include <algorithm>

namespace rushes::net {
namespace {

/// `host[:port]` of `scheme://host[:port]`; nothing for what is not http(s).
std::optional<std::string_view> authority_of(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  }
  return std::nullopt;
}

bool is_localhost(std::string_view authority) {
  for (const std::string_view host : {"localhost", "127.0.0.1", "[::1]"}) {
    if (!authority.starts_with(host)) continue;
    const auto rest = authority.substr(host.size());
    if (rest.empty()) return true;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (rest.front() == ':' && rest.size() > 1 && std::all_of(rest.begin() + 1, rest.end(), is_digit)) return true;
  }
  return false;
}

}  // namespace

OriginVerdict judge_origin(const CorsOptions& options, const Headers& headers) {
  const auto origin = headers.find("Origin");
  if (!origin) return OriginVerdict::none;
  const auto& allowed = options.allowed_origins;
  if (std::find(allowed.begin(), allowed.end(), *origin) != allowed.end() && *origin != "*") {
    return OriginVerdict::allowed;
  }
  if (const auto authority = authority_of(*origin)) {
    if (equals_ignore_case(*authority, headers.get("Host"))) return OriginVerdict::allowed;
    if (options.allow_localhost && is_localhost(*authority)) return OriginVerdict::allowed;
  }
  if (std::find(allowed.begin(), allowed.end(), "*") != allowed.end()) return OriginVerdict::anonymous;
  return OriginVerdict::refused;
}

void write_cors_fields(std::string& head, OriginVerdict verdict, std::string_view origin) {
  if (verdict == OriginVerdict::anonymous) {
    head += "Access-Control-Allow-Origin: *\r\n";
  } else if (verdict == OriginVerdict::allowed) {
    head += "Access-Control-Allow-Origin: ";
    head += origin;
    head += "\r\nAccess-Control-Allow-Credentials: true\r\n";
  }
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
