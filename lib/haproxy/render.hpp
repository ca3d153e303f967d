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

/// Backends that belong to the public rules themselves have a dot in their names: "rule.none",
/// "rule.3", "limit.all". Names of services have none, so none can be called like this.
constexpr std::string_view rule_prefix = "rule.";
/// Where requests go that no rule matches.
constexpr std::string_view unmatched_backend = "rule.none";

/// The sections "global" and "defaults".
void render_preamble(Output out, const Setup& setup);
/// The frontend that everybody reaches; nothing when no port is listened on.
void render_public(Output out, const Setup& setup);
void render_tls_ports(Output out, const Tls& tls);
/// What comes before the rules.
void render_tls_rules(Output out, const Tls& tls);
/// Which requests are an authority's questions. HAProxy warns of `http-request` rules behind it.
void render_challenge_rule(Output out, const Tls& tls);
/// Where an authority's questions go.
void render_challenges(Output out, const Tls& tls);
/// The page instead of all that follows, while the switch is on.
void render_maintenance(Output out, const Setup& setup);
void render_maintenance_switch(Output out, const Setup& setup);
/// The rules that can be reached: none after one that matches everything.
std::vector<stack::Rule> reachable(const std::vector<stack::Rule>& rules);
/// Whether the number of the first rule that matches is written down, in txn.rule, because some
/// rules are limited in another way than the others.
bool is_numbered(const std::vector<stack::Rule>& rules);
/// Whether a service wants its clients to stay on their servers.
bool is_any_sticky(const Setup& setup);
/// What a client is known by: "src", "req.cook(SESSION),sha1".
std::string sticky_key(const stack::Sticky& sticky);
/// A backend's table of clients.
void render_sticky(Output out, const stack::Sticky& sticky);
/// By whom tables are handed on at a reload; nothing when there are none.
void render_peers(Output out, const Setup& setup);
/// What is decided once for a request: the rule's number where it is needed, and what is drawn.
void render_choices(Output out, const std::vector<stack::Rule>& rules);
/// Who is refused because it asks for too much.
void render_limits(Output out, const Setup& setup);
/// The tables that the limits count in.
void render_limit_tables(Output out, const Setup& setup);
/// The rules of the public frontend in their order, and where all the rest goes.
void render_rules(Output out, const Setup& setup);
/// The frontend by which dependents inside the VPC reach a backend, if it has a port for them.
void render_internal(Output out, const Backend& backend, const std::string& private_address);
void render_backend(Output out, const Backend& backend);
/// What answers by itself: a backend for each redirect, and one for when no rule matches.
void render_answers(Output out, const std::vector<stack::Rule>& rules);

}  // namespace paas::haproxy
