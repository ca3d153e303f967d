// Reads and changes the host's routes with ip(8).
#include "cloud/host_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/host_command.hpp"

namespace paas::cloud {
namespace {

/// A number in rt_protos' free space: marks what this program made.
constexpr const char* route_protocol = "119";

/// A metric that any real route beats, different for clouds of different names (FNV-1a in its lower
/// bits).
std::uint32_t mark_of(const std::string& cloud_name) {
  std::uint32_t hash = 2166136261U;
  for (const char c : cloud_name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return 0xF0000000U | (hash & 0x0FFFFFFFU);
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Result<std::vector<Route>> parse_routes(const std::string& json, std::uint32_t mark) {
  const auto list = nlohmann::json::parse(json.empty() ? "[]" : json, nullptr, false);
  if (!list.is_array()) return fail(ErrorKind::failed, "ip(8) did not list the routes as JSON");
  std::vector<Route> routes;
  for (const auto& entry : list) {
    if (!entry.is_object()) continue;
    const auto destination = IpRange::parse(text_of(entry, "dst"));
    if (!destination) continue;  // "default"
    Route route{*destination, text_of(entry, "dev"), false};
    const auto metric = entry.find("metric");
    route.ours = text_of(entry, "type") == "unreachable" && metric != entry.end() &&
                 metric->is_number() && metric->get<std::uint32_t>() == mark;
    routes.push_back(std::move(route));
  }
  return routes;
}

HostNetwork::HostNetwork(Processes& processes, Files& files, const std::string& cloud_name)
    : processes_(processes), files_(files), mark_(mark_of(cloud_name)) {}

Result<std::vector<Route>> HostNetwork::routes() {
  PAAS_TRY(const auto listed, run_on_host(processes_, {"ip", "-j", "-4", "route", "show"}));
  return parse_routes(std::string(text::trim(listed)), mark_);
}

Status HostNetwork::check_free(const IpRange& range) {
  PAAS_TRY(const auto all, routes());
  for (const Route& route : all) {
    if (!route.destination.overlaps(range)) continue;
    if (route.ours && route.destination == range) continue;
    return fail(ErrorKind::exists,
                fmt::format("the range {} overlaps this machine's route to {}{}", range.text(),
                            route.destination.text(),
                            route.device.empty() ? "" : " (" + route.device + ")"),
                "choose another range, or stop the other local cloud that has it");
  }
  return {};
}

Status HostNetwork::change(const std::string& verb, const IpRange& range) {
  PAAS_CHECK(run_on_host(processes_, {"ip", "route", verb, "unreachable", range.text(), "metric",
                                      fmt::format("{}", mark_), "proto", route_protocol}));
  return {};
}

Status HostNetwork::block(const IpRange& range) { return change("replace", range); }

Status HostNetwork::unblock(const IpRange& range) {
  PAAS_TRY(const auto all, routes());
  const auto ours = std::find_if(all.begin(), all.end(), [&](const Route& route) {
    return route.ours && route.destination == range;
  });
  if (ours == all.end()) return {};
  return change("del", range);
}

int HostNetwork::mtu() {
  constexpr int usual = 1500;
  const auto listed = run_on_host(processes_, {"ip", "-j", "-4", "route", "show", "default"});
  if (!listed) return usual;
  const auto list = nlohmann::json::parse(*listed, nullptr, false);
  if (!list.is_array() || list.empty() || !list[0].is_object()) return usual;
  const auto text = files_.read("/sys/class/net/" + text_of(list[0], "dev") + "/mtu");
  const auto value = text ? text::to_integer(text::trim(*text)) : std::nullopt;
  return value && *value >= 576 && *value <= usual ? static_cast<int>(*value) : usual;
}

void HostNetwork::forget_neighbour(const std::string& address) {
  // Nothing to forget is no error, and a stale entry only costs the time until it is asked for
  // again.
  (void)run_on_host(processes_, {"ip", "neigh", "flush", "to", address});
}

}  // namespace paas::cloud
