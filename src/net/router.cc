#include "net/router.h"

#include <algorithm>

namespace rushes::net {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_parameter(std::string_view segment) { return segment.size() > 2 && segment.front() == '{'; }

bool matches(const Route& route, const std::vector<std::string>& segments) {
  return std::equal(route.segments.begin(), route.segments.end(), segments.begin(), segments.end(),
                    [](const std::string& pattern, const std::string& segment) {
                      return is_parameter(pattern) ? !segment.empty() : pattern == segment;
                    });
}

}  // namespace

void Router::add(std::string method, std::string_view pattern, Handler handler, RouteOptions options) {
  routes_.push_back({std::move(method), split(pattern), std::move(handler), options});
}

void Router::add_upgrade(std::string path, UpgradeHandler handler) {
  upgrades_.emplace_back(std::move(path), std::move(handler));
}

Router::Match Router::match(Request& request) const {
  Match match;
  if (!request.path.starts_with('/')) return match;
  const auto segments = split(request.path);
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const auto& route : routes_) {
    if (!matches(route, segments)) continue;
    if (!route.method.empty() && route.method != method) {
      match.allowed += (match.allowed.empty() ? "" : ", ") + route.method;
      continue;
    }
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const std::string_view pattern = route.segments[i];
      if (is_parameter(pattern)) request.params[std::string(pattern.substr(1, pattern.size() - 2))] = segments[i];
    }
    match.route = &route;
    return match;
  }
  return match;
}

const UpgradeHandler* Router::upgrade(std::string_view path) const {
  const auto found =
      std::find_if(upgrades_.begin(), upgrades_.end(), [&](const auto& known) { return known.first == path; });
  return found == upgrades_.end() ? nullptr : &found->second;
}

}  // namespace rushes::net
