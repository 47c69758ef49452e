#include "app/pages.h"

#include "app/version.h"
#include "net/authority.h"
#include "net/forwarded.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace rushes::app {
namespace {

constexpr std::string_view kContentPolicy =
    "default-src 'self'; img-src 'self' blob: data: https:; connect-src 'self' ws: wss:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'";

std::string_view content_type(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTypes{
      {{".html", "text/html; charset=utf-8"},
       {".js", "text/javascript; charset=utf-8"},
       {".css", "text/css; charset=utf-8"},
       {".txt", "text/plain; charset=utf-8"},
       {".svg", "image/svg+xml"},
       {".png", "image/png"},
       {".ico", "image/x-icon"},
       {".json", "application/json"},
       {".webmanifest", "application/manifest+json"}}};
  const auto* found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return path.ends_with(type.first); });
  return found == kTypes.end() ? "application/octet-stream" : found->second;
}

net::Response serve_file(const WebFile& file) {
  net::Response response;
  response.headers.set("Content-Type", content_type(file.path));
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Referrer-Policy", "no-referrer");
  // Assets carry a hash of their content in their name; the page itself does not.
  const bool hashed = file.path.starts_with("/assets/");
  response.headers.set("Cache-Control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
  if (file.path.ends_with(".html")) response.headers.set("Content-Security-Policy", kContentPolicy);
  response.static_body = file.content;
  return response;
}

Task<net::Response> serve_page(net::Request& request) {
  const auto files = web_files();
  const auto path = request.path == "/" ? std::string_view("/index.html") : std::string_view(request.path);
  const auto found = std::find_if(files.begin(), files.end(), [&](const WebFile& file) { return file.path == path; });
  if (found == files.end()) {
    co_return net::problem(Error::for_user(Errc::not_found, "NO_SUCH_PATH", "There is nothing at this path."));
  }
  co_return serve_file(*found);
}

/// Why a request gets no development token: it may come from another machine, through a proxy from anywhere, by a name
/// that a stranger's DNS leads here, or from a page of somebody else. Empty: it gets one.
std::string_view development_refusal(const net::Request& request) {
  const auto& peer = request.peer_address;
  if (!peer.starts_with("127.") && peer != "::1") return "it is asked for from another machine";
  if (net::has_proxy_fields(request.headers)) return "a proxy stands in between, behind which anybody may be";
  const auto host = net::parse_authority(request.headers.get("Host"));
  if (!host || !net::is_loopback_host(host->host)) {
    return "the server is called by a name (Host) that is not localhost or 127.0.0.1";
  }
  const auto origin = request.headers.find("Origin");
  if (origin && *origin != "http://" + std::string(request.headers.get("Host"))) return "a page of another origin asks";
  const auto site = request.headers.get("Sec-Fetch-Site");
  if (site == "cross-site" || site == "same-site") return "a page of another origin asks";
  return {};
}

json::object sandbox_json(const box::HostReport& host) {
  json::array missing;
  for (const auto& one : host.missing) {
    missing.push_back(json::object{{"part", one.part}, {"reason", one.why}, {"remedy", one.remedy}});
  }
  return {{"complete", host.complete()}, {"missing", std::move(missing)}};
}

Task<net::Response> health(jobs::JobQueries& queries, std::optional<Error> refusal,
                           std::chrono::steady_clock::time_point started, json::object sandbox) {
  const auto counts = co_await queries.counts();
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started);
  json::object body{{"status", counts ? "ok" : "unavailable"}, {"version", kVersion}, {"uptime", up.count()}};
  if (counts && refusal) {
    body["status"] = "degraded";
    body["reason"] = refusal->public_name();
    body["detail"] = refusal->public_message();
  }
  body["sandbox"] = std::move(sandbox);
  if (counts) body["jobs"] = {{"pending", counts->pending}, {"processing", counts->processing}};
  co_return net::json_response(counts ? 200 : 503, body);
}

Task<net::Response> alive() {
  const json::object body{{"status", "ok"}};
  co_return net::json_response(200, body);
}

Task<net::Response> development_token(const std::function<std::string()>& make_token, net::Request& request) {
  if (const auto refusal = development_refusal(request); !refusal.empty()) {
    co_return net::problem(
        Error::for_user(Errc::forbidden, "LOCAL_ONLY",
                        "No development token: " + std::string(refusal) +
                            ". It is given on the server's own machine, at http://127.0.0.1, only."));
  }
  const json::object body{{"token", make_token()}, {"sub", "developer"}};
  co_return net::json_response(200, body);
}

}  // namespace

void add_page_routes(net::Router& router) { router.set_fallback(serve_page); }

void add_health_routes(net::Router& router, jobs::JobQueries& queries, std::function<std::optional<Error>()> refusal,
                       const box::HostReport& host) {
  const auto started = std::chrono::steady_clock::now();
  const auto check = [&queries, refusal = std::move(refusal), started, sandbox = sandbox_json(host)](net::Request&) {
    return health(queries, refusal(), started, sandbox);
  };
  router.add("GET", "/health", check);
  router.add("GET", "/health/readiness", check);
  router.add("GET", "/health/liveness", [](net::Request&) { return alive(); });
}

void add_development_route(net::Router& router, std::function<std::string()> make_token) {
  router.add("GET", "/dev/token", [make_token = std::move(make_token)](net::Request& request) {
    return development_token(make_token, request);
  });
}

}  // namespace rushes::app
