#pragma once
#include "box/host.h"
#include "jobs/job_queries.h"
#include "net/router.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rushes::app {

/// A file of the web page, embedded into the binary.
struct WebFile {
  std::string_view path;  // `/assets/index-1a2b.js`
  std::string_view content;
};
/// All of them; generated from web/dist. Empty where the page was not built.
std::span<const WebFile> web_files();

/// The web page at `/`, its assets, and `index.html` for its own paths.
void add_page_routes(net::Router& router);

/// `/health`, `/health/liveness`, `/health/readiness`: ready when the database answers; degraded, with the reason,
/// where the disk takes nothing or has little room (`refusal`, asked at each request): what only reads goes on then.
/// What the host lacks of the jobs' box stands there too.
void add_health_routes(net::Router& router, jobs::JobQueries& queries, std::function<std::optional<Error>()> refusal,
                       const box::HostReport& host);

/// `GET /dev/token`: to a connection from this machine, by a loopback name, without a proxy's fields, for no page but
/// the server's own.
void add_development_route(net::Router& router, std::function<std::string()> make_token);

}  // namespace rushes::app
