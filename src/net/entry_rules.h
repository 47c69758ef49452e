#pragma once
#include "net/cors.h"
#include "net/forwarded.h"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rushes::net {

struct EntryOptions {
  CorsOptions cors;
  AddressRanges trusted_proxies;
  /// Host names that requests may name, in lower case, `*.app.example` for those below one; nothing: any. Loopback
  /// names, address literals and the public origin's host may be named always: no DNS answer leads a foreign page
  /// there.
  std::optional<std::vector<std::string>> allowed_hosts;
  /// The path that everything stands below: `/api/v1`; empty: none. `/socket.io`, `/health` and `/metrics` stand at the
  /// root as well, since their clients look there.
  std::string base_path;
};

/// What holds for every request, before its route is looked for.
///
/// Threads: thread-safe.
class EntryRules {
 public:
  explicit EntryRules(EntryOptions options) : options_(std::move(options)) {}

  struct Verdict {
    OriginVerdict origin = OriginVerdict::none;
    std::optional<Response> refusal;  // the answer, instead of the route's
  };
  /// Fills `remote_address`, `scheme`, `host` and `prefix` of a request whose `peer_address` and head are there, and
  /// takes the base path off its `path`. Logs the first refused request of each origin, and one an hour.
  Verdict examine(Request& request);

 private:
  bool may_name(std::string_view host) const;
  std::optional<Response> enter_base(Request& request) const;
  void log_refusal(const Request& request);

  const EntryOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::chrono::steady_clock::time_point, std::less<>> logged_;  // origins; under mutex_
};

}  // namespace rushes::net
