#include "net/router.h"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace rushes::net {
namespace {

/// `/a/b` to `a`, `b`. A last slash counts as an empty segment.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool is_name(std::string_view segment) { return segment.size() > 2 && segment.front() == '{' && segment.back() == '}'; }

}  // namespace

/// A segment of the paths that begin alike.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> fixed;
  std::unique_ptr<Node> named;
  std::vector<std::string> names;  // of the pattern's parameters, where routes end here
  std::map<std::string, Route, std::less<>> routes;
  std::string pattern;  // where routes end here

  std::string allow() const {
    std::string methods;
    for (const auto& [method, route] : routes) methods += (methods.empty() ? "" : ", ") + method;
    if (routes.contains("GET") && !routes.contains("HEAD")) methods += ", HEAD";
    return methods + ", OPTIONS";
  }

  void each_route(const std::function<void(const std::string&, const std::string&)>& visit) const {
    for (const auto& [method, route] : routes) visit(method, pattern);
    for (const auto& [segment, next] : fixed) next->each_route(visit);
    if (named) named->each_route(visit);
  }

  /// The node where `segments` end; fixed segments are tried first. Fills what the named ones matched.
  const Node* find(const std::vector<std::string_view>& segments, std::size_t at,
                   std::vector<std::string_view>& matched) const {
    if (at == segments.size()) return routes.empty() ? nullptr : this;
    if (const auto next = fixed.find(segments[at]); next != fixed.end()) {
      if (const auto* found = next->second->find(segments, at + 1, matched)) return found;
    }
    if (!named || segments[at].empty()) return nullptr;
    matched.push_back(segments[at]);
    if (const auto* found = named->find(segments, at + 1, matched)) return found;
    matched.pop_back();
    return nullptr;
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::add(std::string method, std::string pattern, Handler handler, RouteOptions options) {
  Node* node = root_.get();
  std::vector<std::string> names;
  for (const auto segment : split(pattern)) {
    auto& next = is_name(segment) ? node->named : node->fixed[std::string(segment)];
    if (is_name(segment)) names.emplace_back(segment.substr(1, segment.size() - 2));
    if (!next) next = std::make_unique<Node>();
    node = next.get();
  }
  if (!node->routes.empty() && node->names != names) {
    throw std::logic_error("the route " + pattern + " names its parameters in another way than one before it");
  }
  node->names = std::move(names);
  node->pattern = pattern;
  if (!node->routes.emplace(method, Route{std::move(handler), options}).second) {
    throw std::logic_error("the route " + method + " " + pattern + " is there already");
  }
}

void Router::add_upgrade(std::string path, UpgradeHandler handler) {
  upgrades_.emplace_back(std::move(path), std::move(handler));
}

void Router::set_fallback(Handler handler, RouteOptions options) { fallback_ = Route{std::move(handler), options}; }

void Router::each_route(const std::function<void(const std::string& method, const std::string& pattern)>& visit) const {
  root_->each_route(visit);
}

Router::Match Router::match(Request& request) const {
  Match match;
  std::vector<std::string_view> matched;
  // The path is split as decoded: a segment with an escaped slash is two segments, for the pattern as for the file
  // system.
  if (const Node* node = root_->find(split(request.path), 0, matched)) {
    match.path_known = true;
    auto route = node->routes.find(request.method);
    if (route == node->routes.end() && request.method == "HEAD") route = node->routes.find("GET");
    if (route == node->routes.end()) {
      match.allow = node->allow();
      return match;
    }
    match.route = &route->second;
    for (std::size_t i = 0; i < node->names.size(); ++i) request.params[node->names[i]] = matched[i];
    return match;
  }
  if (fallback_ && (request.method == "GET" || request.method == "HEAD")) match.route = &*fallback_;
  return match;
}

std::string Router::allowed_methods(std::string_view path) const {
  std::vector<std::string_view> matched;
  const Node* node = root_->find(split(path), 0, matched);
  return node != nullptr ? node->allow() : std::string();
}

const UpgradeHandler* Router::match_upgrade(std::string_view path) const {
  for (const auto& [known, handler] : upgrades_) {
    if (known == path) return &handler;
  }
  return nullptr;
}

}  // namespace rushes::net
