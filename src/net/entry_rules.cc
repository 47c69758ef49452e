#include "net/entry_rules.h"

#include "base/log.h"

#include <algorithm>
#include <array>

namespace rushes::net {
namespace {

constexpr std::chrono::hours kLogPause{1};
constexpr std::size_t kMostLogged = 1'000;  // origins in that time

bool is_below(std::string_view path, std::string_view base) {
  return path.starts_with(base) && (path.size() == base.size() || path[base.size()] == '/');
}

bool stands_at_root(std::string_view path) {
  constexpr std::array<std::string_view, 3> kAlways{"/socket.io", "/health", "/metrics"};
  return path == "*" ||
         std::any_of(kAlways.begin(), kAlways.end(), [&](std::string_view base) { return is_below(path, base); });
}

/// To the page of the base path, whose own addresses are relative; relative itself, so that it holds behind any proxy.
Response redirect_to_page(std::string_view base) {
  Response response(308);
  response.headers.add("Location", std::string(base.substr(base.rfind('/') + 1)) + "/");
  response.headers.add("Cache-Control", "no-cache");
  return response;
}

Response host_refusal(std::string_view host) {
  return problem(421, "HOST_NOT_ALLOWED",
                 "This server does not answer to the host " + printable(host) +
                     ": add it to allowed_hosts, or set public_url, where it is the server's own name.");
}

}  // namespace

EntryRules::Verdict EntryRules::examine(Request& request) {
  Verdict verdict;
  auto view = view_of_client(options_.trusted_proxies, request.peer_address, request.headers);
  request.remote_address = std::move(view.address);
  request.scheme = std::move(view.scheme);
  request.host = std::move(view.host);
  request.prefix = std::move(view.prefix);
  if (!may_name(request.host)) {
    verdict.origin = request.headers.has("Origin") ? OriginVerdict::refused : OriginVerdict::none;
    verdict.refusal = host_refusal(request.host);
    return verdict;
  }
  verdict.origin = judge_origin(options_.cors, request);
  if (verdict.origin == OriginVerdict::refused) log_refusal(request);
  verdict.refusal = enter_base(request);
  return verdict;
}

bool EntryRules::may_name(std::string_view text) const {
  // Without the field it is HTTP/1.0: a health check, never a browser.
  if (!options_.allowed_hosts || text.empty()) return true;
  const auto authority = parse_authority(text);
  if (!authority) return false;
  const auto& host = authority->host;
  if (is_loopback_host(host) || is_address_literal(host)) return true;
  if (options_.cors.public_origin && options_.cors.public_origin->host == host) return true;
  return std::any_of(options_.allowed_hosts->begin(), options_.allowed_hosts->end(),
                     [&](const std::string& pattern) { return matches_host(pattern, host); });
}

std::optional<Response> EntryRules::enter_base(Request& request) const {
  const auto& base = options_.base_path;
  if (base.empty()) return std::nullopt;
  if (is_below(request.path, base)) {
    if (request.path == base && (request.method == "GET" || request.method == "HEAD")) return redirect_to_page(base);
    request.path.erase(0, base.size());
    if (request.path.empty()) request.path = "/";
    request.prefix += base;
    return std::nullopt;
  }
  if (stands_at_root(request.path)) return std::nullopt;
  return problem(Error::for_user(Errc::not_found, "NO_SUCH_PATH",
                                 "There is nothing at this path: the server's own begin with " + base + "/."));
}

void EntryRules::log_refusal(const Request& request) {
  const auto origin = request.headers.get("Origin");
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    if (logged_.size() >= kMostLogged) {
      std::erase_if(logged_, [now](const auto& known) { return now - known.second >= kLogPause; });
    }
    const auto known = logged_.find(origin);
    if (known != logged_.end() && now - known->second < kLogPause) return;
    if (known == logged_.end() && logged_.size() >= kMostLogged) return;
    logged_.insert_or_assign(std::string(origin), now);
  }
  log::warning("net", "{} client={}", origin_refusal(request), request.remote_address);
}

}  // namespace rushes::net
