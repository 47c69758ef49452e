#pragma once
#include "base/file.h"
#include "net/address_book.h"
#include "net/message.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::net {

/// Answers one request. Runs on the connection's shard; an exception is logged and answered with 500.
using Handler = std::function<Task<Response>(Request&)>;

struct RouteOptions {
  std::uint64_t max_body = 1UL << 20U;  // bytes; above: 413
  /// How long the handler may take, after which the client gets 503 and the handler is cancelled
  /// (at its next wait that can be); zero: no limit.
  std::chrono::milliseconds deadline{0};
};

/// A connected socket that HTTP has let go of, with what the client sent after its request.
struct DetachedSocket {
  FileDescriptor fd;
  std::string buffered;
  AddressLease lease;  // to be held as long as fd is open
};

/// What becomes of a request with `Connection: Upgrade`: an answer, or a new owner for the socket.
struct UpgradeAnswer {
  UpgradeAnswer() = default;
  explicit UpgradeAnswer(Response answer) : refusal(std::move(answer)) {}
  explicit UpgradeAnswer(std::function<void(DetachedSocket)> owner) : take_over(std::move(owner)) {}

  std::optional<Response> refusal;
  /// Called once, on the connection's shard; the new owner writes the 101 answer itself.
  std::function<void(DetachedSocket)> take_over;
};
using UpgradeHandler = std::function<Task<UpgradeAnswer>(Request&)>;

/// Finds the handler of a request: by path, then by method.
///
/// A pattern is a path whose segments may be `{name}`: it matches one segment, not empty, and gives it
/// decoded in `request.params`. Fixed segments win over named ones. GET also answers HEAD.
///
/// Threads:   filled before the server starts, immutable afterwards.
class Router {
 public:
  Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  ~Router();

  /// `router.add("GET", "/analyze/job/{id}/status", handler)`. Throws std::logic_error where the route is there
  /// already.
  void add(std::string method, std::string pattern, Handler handler, RouteOptions options = RouteOptions());
  /// Takes requests that ask for an upgrade (WebSocket) on exactly this path.
  void add_upgrade(std::string path, UpgradeHandler handler);
  /// Takes GET and HEAD requests that no pattern matches (the web page). Without it: 404.
  void set_fallback(Handler handler, RouteOptions options = RouteOptions());

  /// Calls `visit(method, pattern)` for every route.
  void each_route(const std::function<void(const std::string& method, const std::string& pattern)>& visit) const;

  struct Route {
    Handler handler;
    RouteOptions options;
  };
  struct Match {
    const Route* route = nullptr;
    bool path_known = false;  // the path exists, with other methods: 405
    std::string allow;        // those methods, for `Allow`
  };
  /// Fills `request.params`.
  Match match(Request& request) const;
  /// The methods of a path, for OPTIONS; empty where it is unknown.
  std::string allowed_methods(std::string_view path) const;
  const UpgradeHandler* match_upgrade(std::string_view path) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
  std::vector<std::pair<std::string, UpgradeHandler>> upgrades_;
  std::optional<Route> fallback_;
};

}  // namespace rushes::net
