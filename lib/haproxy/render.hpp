// The parts that render() puts a configuration together from. Internal to this module; the values
// were checked before.
#pragma once

#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "haproxy/model.hpp"

namespace paas::haproxy {

using Output = std::back_insert_iterator<std::string>;

/// Backends that belong to the public rules themselves are called "rule.none" and "rule.3". Names
/// of services have no dot, so none can be called like this.
constexpr std::string_view rule_prefix = "rule.";
/// Where requests go that no rule matches.
constexpr std::string_view unmatched_backend = "rule.none";

/// The sections "global" and "defaults".
void render_preamble(Output out);
/// The frontend that everybody reaches; nothing when no port is listened on.
void render_public(Output out, const Setup& setup);
/// The rules of the public frontend in their order, and where all the rest goes.
void render_rules(Output out, const std::vector<stack::Rule>& rules);
/// The frontend by which dependents inside the VPC reach a backend, if it has a port for them.
void render_internal(Output out, const Backend& backend, const std::string& private_address);
void render_backend(Output out, const Backend& backend);
/// What answers by itself: a backend for each redirect, and one for when no rule matches.
void render_answers(Output out, const std::vector<stack::Rule>& rules);

}  // namespace paas::haproxy
