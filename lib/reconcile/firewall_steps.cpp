// Steps on firewalls: made, closed and taken away, and awaited before a container starts.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "digitalocean/errors.hpp"
#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "plan/firewall.hpp"
#include "reconcile/run.hpp"

namespace paas::reconcile {

/// The identifier of a firewall of that name, if there is one. Error exists when it is another
/// stack's: names of firewalls are unique in an account.
Result<std::string> Run::find_firewall(const std::string& name, lockfile::Intent intent) {
  PAAS_TRY(auto firewalls, tools_.client.firewalls());
  for (const auto& firewall : firewalls) {
    if (firewall.spec.name != name) continue;
    if (lockfile::belongs(firewall.spec.tags, stack_.name, intent)) return firewall.id;
    return lockfile::foreign("firewall " + name, stack_.name);
  }
  return std::string();
}

Status Run::put_firewall(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto spec = plan::firewall_of(stack_, lockfile, step.service);
  // Tags must exist before a firewall names them.
  std::set<std::string> tags(spec.tags.begin(), spec.tags.end());
  for (const auto* rules : {&spec.inbound, &spec.outbound}) {
    for (const auto& rule : *rules) tags.insert(rule.tags.begin(), rule.tags.end());
  }
  for (const auto& tag : tags) PAAS_CHECK(tools_.client.create_tag(tag));
  const auto before = lockfile.firewalls.find(step.service);
  const bool known = before != lockfile.firewalls.end();
  std::string id = known && step.kind == plan::StepKind::update_firewall ? before->second.id : "";
  if (id.empty()) {
    PAAS_TRY(id,
             find_firewall(spec.name, known && before->second.id.empty() ? lockfile::Intent::written
                                                                         : lockfile::Intent::none));
  }
  PAAS_CHECK(state_.change([&](auto& next) {
    auto& firewall = next.firewalls[step.service];
    if (firewall.name != spec.name) firewall = {spec.name, ""};
  }));
  if (id.empty()) {
    auto made = tools_.client.create_firewall(spec);
    if (!made) {
      if (!known && digitalocean::is_refusal(made.error())) {
        PAAS_CHECK(state_.change([&](auto& next) { next.firewalls.erase(step.service); }));
      }
      return fail(made.error());
    }
    id = made->id;
  } else {
    PAAS_TRY(const auto actual, tools_.client.firewall(id));
    const auto old = plan::old_rules(plan::normalised(actual.spec), spec);
    PAAS_CHECK(tools_.client.update_firewall(id, plan::with(spec, old)));
  }
  PAAS_CHECK(state_.change([&](auto& next) { next.firewalls[step.service].id = id; }));
  return await_firewall(step);
}

Status Run::close_firewall(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto spec = plan::firewall_of(stack_, lockfile, step.service);
  PAAS_CHECK(tools_.client.update_firewall(lockfile.firewalls.at(step.service).id, spec));
  return await_firewall(step);
}

Result<bool> Run::is_applied(const digitalocean::Firewall& firewall) const {
  if (firewall.status == "failed") {
    return fail(ErrorKind::failed,
                fmt::format("firewall {} could not be applied", firewall.spec.name));
  }
  return firewall.pending_droplets.empty() && firewall.status == "succeeded";
}

/// A firewall applies by tags, and tags apply late: nothing is pending on a droplet that it lacks.
/// So the droplet's own list of firewalls decides.
Result<bool> Run::is_applied_to(const std::string& firewall, std::int64_t droplet) {
  PAAS_TRY(const auto listed, tools_.client.firewalls_of_droplet(droplet));
  const auto found = std::find_if(listed.begin(), listed.end(),
                                  [&](const auto& other) { return other.id == firewall; });
  if (found == listed.end()) return false;
  return is_applied(*found);
}

/// What two lists that all waiting steps share say: the firewall has nothing pending, and the
/// droplet, where there is one, has a tag of it.
Result<bool> Run::may_be_applied(const std::string& firewall, const std::string& droplet,
                                 std::uint64_t after) {
  PAAS_TRY(const auto firewalls, firewalls_.items(after));
  const auto found = std::find_if(firewalls->begin(), firewalls->end(),
                                  [&](const auto& other) { return other.id == firewall; });
  // One that was just made may not be listed yet.
  if (found == firewalls->end()) return false;
  PAAS_TRY(const bool applied, is_applied(*found));
  if (!applied || droplet.empty()) return applied;
  PAAS_TRY(const auto droplets, droplets_.items());
  return std::any_of(droplets->begin(), droplets->end(), [&](const auto& listed) {
    return std::to_string(listed.id) == droplet &&
           std::any_of(listed.tags.begin(), listed.tags.end(), [&](const std::string& tag) {
             const auto& tags = found->spec.tags;
             return std::find(tags.begin(), tags.end(), tag) != tags.end();
           });
  });
}

/// Each droplet is asked for itself at once, and again only when the shared lists say that it may
/// have come.
Status Run::await_firewall(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto entry = lockfile.firewalls.find(step.service);
  if (entry == lockfile.firewalls.end() || entry->second.id.empty()) return {};
  const auto& id = entry->second.id;
  const auto droplet = server(step.server).droplet.id;
  const auto mark = firewalls_.mark();
  bool is_first = true;
  return poll(options_.timeouts.firewall, "applying firewall " + entry->second.name,
              [&]() -> Result<bool> {
                const bool asks_at_once = is_first && !droplet.empty();
                is_first = false;
                if (!asks_at_once) {
                  PAAS_TRY(const bool may, may_be_applied(id, droplet, mark));
                  if (!may || droplet.empty()) return may;
                }
                return is_applied_to(id, std::stoll(droplet));
              });
}

Status Run::delete_firewall(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto entry = lockfile.firewalls.find(step.service);
  if (entry == lockfile.firewalls.end()) return {};
  auto id = entry->second.id;
  if (id.empty()) {
    auto found = find_firewall(entry->second.name, lockfile::Intent::written);
    // Another stack's is not ours to delete: then ours was never made.
    if (!found && found.error().kind != ErrorKind::exists) return fail(found.error());
    id = found.value_or("");
  }
  if (!id.empty()) PAAS_CHECK(tools_.client.delete_firewall(id));
  return state_.change([&](auto& next) { next.firewalls.erase(step.service); });
}

}  // namespace paas::reconcile
