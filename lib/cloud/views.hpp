// Resources as the API shows them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cloud/catalogue.hpp"
#include "cloud/state.hpp"

namespace paas::cloud::view {

std::string time(UnixTime value);

nlohmann::json region(const catalogue::Region& region);
nlohmann::json region(std::string_view slug);
nlohmann::json size(const catalogue::Size& size);
nlohmann::json key(const Key& key);
nlohmann::json distribution(const catalogue::Distribution& distribution);
nlohmann::json image(const Image& image);
/// Any image by its identifier, as a droplet shows what it was made from.
nlohmann::json image(const State& state, Id id);
nlohmann::json snapshot(const Image& image);
/// As /v2/droplets/{id}/snapshots has it, where identifiers are numbers.
nlohmann::json droplet_snapshot(const Image& image);
nlohmann::json droplet(const State& state, const Droplet& droplet);
nlohmann::json action(const Action& action);
nlohmann::json volume(const Volume& volume);
nlohmann::json firewall(const Firewall& firewall);
nlohmann::json vpc(const Vpc& vpc);
nlohmann::json reserved_ip(const State& state, const ReservedIp& reserved);
nlohmann::json tag(const State& state, const std::string& name, std::string_view base_url);

/// {id, rel, href} below an answer's links.actions.
nlohmann::json action_link(const Action& action, std::string_view rel, std::string_view base_url);

}  // namespace paas::cloud::view
