#pragma once
#include "net/http.h"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rushes::net {

struct RouteOptions {
  std::uint64_t max_body = std::uint64_t{1} << 20U;  // bytes; above: 413
  bool streaming = false;                            // the handler reads the body itself
};

/// Takes over a connection whose handshake is done; `leftover` was read behind it already.
using TakeOver = std::function<void(asio::ip::tcp::socket socket, std::string leftover)>;

/// Decides on a WebSocket handshake: a Response refuses it, a TakeOver accepts.
using UpgradeHandler = std::function<Task<std::variant<Response, TakeOver>>(Request& request)>;

struct Route {
  std::string method;  // empty: any
  std::vector<std::string> segments;
  Handler handler;
  RouteOptions options;
};

/// Which handler answers which request. Filled before the server starts; immutable afterwards.
class Router {
 public:
  /// `pattern`: `/analyze/job/{id}/status`; a segment in braces matches anything but nothing, and
  /// becomes a parameter. An empty method matches all.
  void add(std::string method, std::string_view pattern, Handler handler, RouteOptions options = {});
  void add_upgrade(std::string path, UpgradeHandler handler);
  /// For GET requests that no route matches, before 404.
  void set_fallback(Handler handler) { fallback_ = std::move(handler); }

  struct Match {
    const Route* route = nullptr;  // null: none; see `allowed`
    std::string allowed;           // methods of this path, where only the method was wrong
  };
  /// Fills `request.params`.
  Match match(Request& request) const;
  const UpgradeHandler* upgrade(std::string_view path) const;
  const Handler& fallback() const { return fallback_; }

 private:
  std::vector<Route> routes_;
  std::vector<std::pair<std::string, UpgradeHandler>> upgrades_;
  Handler fallback_;
};

}  // namespace rushes::net
