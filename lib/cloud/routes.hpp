// Which function answers which method and path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cloud/call.hpp"

namespace paas::cloud {

struct ApiRoute {
  std::string_view method;
  std::string_view pattern;  ///< "/v2/droplets/{}": {} matches one segment.
  Handler handler = nullptr;
};

/// Each resource's routes. Where two match, the one listed first wins.
std::vector<ApiRoute> account_routes();
std::vector<ApiRoute> droplet_routes();
std::vector<ApiRoute> droplet_creation_routes();
std::vector<ApiRoute> droplet_action_routes();
std::vector<ApiRoute> image_routes();
std::vector<ApiRoute> volume_routes();
std::vector<ApiRoute> volume_action_routes();
std::vector<ApiRoute> firewall_routes();
std::vector<ApiRoute> vpc_routes();
std::vector<ApiRoute> reserved_ip_routes();
std::vector<ApiRoute> tag_routes();
std::vector<ApiRoute> action_routes();
std::vector<ApiRoute> domain_routes();
std::vector<ApiRoute> project_routes();
std::vector<ApiRoute> registry_routes();
/// Not of DigitalOcean's API: see fault::control_path.
std::vector<ApiRoute> fault_routes();

struct Match {
  Handler handler = nullptr;  ///< Null: no such path, or not with this method.
  bool path_known = false;
  std::vector<std::string> arguments;
};
Match find_route(std::string_view method, const std::string& path);

/// Every path's pattern, once.
std::vector<std::string> route_patterns();

}  // namespace paas::cloud
