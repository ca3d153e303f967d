// Finds doubles, names that are used again, requests that are repeated blindly, and droplets that
// stand in the open.
#include "crash/support/ledger.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace paas::crash {
namespace {

/// "/v2/droplets" of "/v2/droplets/1001/actions".
std::string collection_of(const std::string& path) {
  constexpr std::string_view keys = "/v2/account/keys";
  if (path.starts_with(keys)) return std::string(keys);
  return path.substr(0, path.find('/', std::string_view("/v2/").size()));
}

/// Making a tag that exists, and tagging what has the tag, change nothing and are no errors.
bool may_be_repeated(const std::string& path) { return path.starts_with("/v2/tags"); }

std::vector<std::string> names_in(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  std::vector<std::string> names;
  if (!json.is_object()) return names;
  if (json.contains("name")) names.push_back(json.at("name").get<std::string>());
  if (json.contains("names")) {
    for (const auto& name : json.at("names")) names.push_back(name.get<std::string>());
  }
  return names;
}

bool is_creation(const cloud::Request& request) {
  return request.method == "POST" && request.path == "/v2/droplets";
}

/// Whether a firewall applies to a droplet with these tags.
bool is_covered(const cloud::State& state, const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("tags")) return false;
  for (const auto& tag : json.at("tags")) {
    for (const auto& [id, firewall] : state.firewalls) {
      if (cloud::contains(firewall.tags, tag.get<std::string>())) return true;
    }
  }
  return false;
}

}  // namespace

void Ledger::ask(const cloud::Request& request, const cloud::State& before) {
  const auto collection = collection_of(request.path);
  if (request.method == "GET") {
    // Whoever looks is not blind any more.
    std::erase_if(unanswered_, [&](const auto& entry) { return entry.second == collection; });
    return;
  }
  if (request.method == "POST" && unanswered_.contains(request.path + " " + request.body)) {
    violations_.push_back("repeated blindly: POST " + request.path);
  }
  if (!is_creation(request)) return;
  for (const auto& name : names_in(request.body)) {
    if (droplet_names_.contains(name)) violations_.push_back("name asked for again: " + name);
  }
  if (!is_covered(before, request.body)) {
    violations_.push_back("a droplet without a firewall: " + request.body.substr(0, 80));
  }
}

void Ledger::hear(const cloud::Request& request, const cloud::Answer& answer,
                  const cloud::State& state) {
  if (is_creation(request) && answer.status < 300) {
    for (const auto& name : names_in(request.body)) droplet_names_.insert(name);
  }
  if (request.method != "GET") check_names(state);
}

void Ledger::miss(const cloud::Request& request) {
  if (request.method != "POST" || may_be_repeated(request.path)) return;
  unanswered_[request.path + " " + request.body] = collection_of(request.path);
}

void Ledger::check_names(const cloud::State& state) {
  const auto check = [&](const auto& resources, const std::string& what, const auto& is_there) {
    std::set<std::string> seen;
    for (const auto& [id, resource] : resources) {
      if (!is_there(resource)) continue;
      if (!seen.insert(resource.name).second) {
        violations_.push_back("two " + what + " of one name: " + resource.name);
      }
    }
  };
  check(state.droplets, "droplets", [](const auto& droplet) { return !droplet.leaving; });
  check(state.volumes, "volumes", [](const auto&) { return true; });
  check(state.firewalls, "firewalls", [](const auto&) { return true; });
  check(state.keys, "keys", [](const auto&) { return true; });
  check(state.vpcs, "networks", [](const auto& vpc) { return !vpc.leaving && !vpc.is_default; });
  if (state.reserved_ips.size() > 1) violations_.emplace_back("two reserved IPs");
}

}  // namespace paas::crash
