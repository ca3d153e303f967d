// Maintenance: a page for all public requests, switched on and off without a reload.
//
// The switch is a server that nothing is ever sent to. With weight 1 it counts as one that can be
// used, with weight 0 it does not (`nbsrv`; measured, 2.6.12). So the Runtime API turns it as it
// turns weights, and its line in the file is one of those that no reload is needed for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "haproxy/model.hpp"

namespace paas::haproxy {

/// The switch's backend and server. No service has a name with a dot.
constexpr std::string_view maintenance_backend = "lb.maintenance";
constexpr std::string_view maintenance_server = "on";

/// Whether a configuration made by render() begins with the page; nothing when it has no switch.
std::optional<bool> maintenance_of(std::string_view configuration);

/// The configuration with the switch turned; the same when it has none.
std::string with_maintenance(std::string_view configuration, bool on);

}  // namespace paas::haproxy
