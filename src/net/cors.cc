#include "net/cors.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace rushes::net {
namespace {

bool is_localhost(std::string_view origin) {
  constexpr std::array<std::string_view, 3> kHosts{"localhost", "127.0.0.1", "[::1]"};
  const auto scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  const auto host = origin.substr(scheme + 3);
  return std::any_of(kHosts.begin(), kHosts.end(), [&](std::string_view known) {
    return host.starts_with(known) && (host.size() == known.size() || host[known.size()] == ':');
  });
}

bool is_own(std::string_view origin, const Request& request) {
  const auto host = request.headers.find("host");
  const auto scheme = origin.find("://");
  return host && scheme != std::string_view::npos && equals_ignore_case(origin.substr(scheme + 3), *host);
}

}  // namespace

CorsPolicy::CorsPolicy(std::vector<std::string> origins, bool localhost)
    : origins_(std::move(origins)),
      localhost_(localhost),
      everyone_(std::find(origins_.begin(), origins_.end(), "*") != origins_.end()) {}

bool CorsPolicy::allows(const Request& request) const {
  const auto origin = request.headers.find("origin");
  if (!origin || everyone_) return true;
  if (localhost_ && is_localhost(*origin)) return true;
  return is_own(*origin, request) || std::find(origins_.begin(), origins_.end(), *origin) != origins_.end();
}

void CorsPolicy::add_headers(const Request& request, Response& response) const {
  if (everyone_) {
    response.headers.set("Access-Control-Allow-Origin", "*");
    return;
  }
  response.headers.add("Vary", "Origin");
  const auto origin = request.headers.find("origin");
  if (!origin || !allows(request)) return;
  response.headers.set("Access-Control-Allow-Origin", *origin);
  response.headers.set("Access-Control-Allow-Credentials", "true");
  response.headers.set("Access-Control-Expose-Headers", "Retry-After");
}

bool CorsPolicy::answer_preflight(const Request& request, Response& answer) const {
  if (request.method != "OPTIONS" || !request.headers.contains("access-control-request-method")) return false;
  answer = Response();
  answer.status = 204;
  if (allows(request)) {
    answer.headers.add("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
    const auto wanted = request.headers.find("access-control-request-headers");
    answer.headers.add("Access-Control-Allow-Headers", std::string(wanted.value_or("Authorization, Content-Type, Idempotency-Key")));
    answer.headers.add("Access-Control-Max-Age", "600");
  }
  return true;
}

}  // namespace rushes::net
