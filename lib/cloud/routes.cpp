// Matches paths against the routes of all resources.
#include "cloud/routes.hpp"

#include <set>

#include "base/text.hpp"

namespace paas::cloud {
namespace {

struct SplitRoute {
  ApiRoute route;
  std::vector<std::string> segments;
};

const std::vector<SplitRoute>& all_routes() {
  static const std::vector<SplitRoute> table = [] {
    std::vector<SplitRoute> routes;
    for (const auto& part :
         {account_routes(), droplet_action_routes(), droplet_routes(), droplet_creation_routes(),
          image_routes(), volume_action_routes(), volume_routes(), firewall_routes(), vpc_routes(),
          reserved_ip_routes(), tag_routes(), action_routes(), domain_routes(), project_routes(),
          registry_routes(), fault_routes()}) {
      for (const auto& route : part) routes.push_back({route, text::split(route.pattern, '/')});
    }
    return routes;
  }();
  return table;
}

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return false;
  for (std::size_t index = 0; index < pattern.size(); ++index) {
    const bool fits = pattern[index] == "{}" ? !path[index].empty() : pattern[index] == path[index];
    if (!fits) return false;
  }
  return true;
}

}  // namespace

Match find_route(std::string_view method, const std::string& path) {
  const auto segments = text::split(path, '/');
  Match match;
  for (const auto& entry : all_routes()) {
    if (!matches(entry.segments, segments)) continue;
    match.path_known = true;
    if (entry.route.method != method) continue;
    match.handler = entry.route.handler;
    for (std::size_t index = 0; index < segments.size(); ++index) {
      if (entry.segments[index] == "{}") match.arguments.push_back(segments[index]);
    }
    return match;
  }
  return match;
}

std::vector<std::string> route_patterns() {
  std::set<std::string> patterns;
  for (const auto& entry : all_routes()) patterns.emplace(entry.route.pattern);
  return {patterns.begin(), patterns.end()};
}

}  // namespace paas::cloud
