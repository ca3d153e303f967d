// Plans what servers stand on: key, network, firewalls, images, the public address.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "plan/balancer.hpp"
#include "plan/firewall.hpp"
#include "plan/planner.hpp"

namespace paas::plan {

namespace {

lockfile::Intent intent_of(bool written) {
  return written ? lockfile::Intent::written : lockfile::Intent::none;
}

/// What an interrupted run reserved: it has no name, so the droplet for which it was asked for
/// tells which one it is.
const digitalocean::ReservedIp* intended_address(const lockfile::LoadBalancer& lb,
                                                 const observe::Observed& observed) {
  const auto found =
      std::find_if(observed.reserved_ips.begin(), observed.reserved_ips.end(), [&](const auto& ip) {
        return ip.droplet_id != 0 && std::to_string(ip.droplet_id) == lb.intended_for;
      });
  return found == observed.reserved_ips.end() ? nullptr : &*found;
}

}  // namespace

/// Networks and volumes belong to a region for good, so a stack does as well while it has any.
Status Planner::check_region() const {
  const auto refuse = [&](const std::string& what, const std::string& region) {
    return fail(
        ErrorKind::invalid,
        fmt::format("region: the stack says {}, but {} is in {}, and what exists cannot move",
                    stack_.region, what, region),
        "take the stack down first (with --volumes if its data may go), or give the new "
        "region a stack file of its own");
  };
  for (const auto& [name, volume] : lock_.volumes) {
    if (volume.region != stack_.region) return refuse("volume " + name, volume.region);
  }
  if (lock_.vpc && !lock_.vpc->id.empty() && lock_.applied &&
      lock_.applied->region != stack_.region) {
    return refuse("network " + lock_.vpc->name, lock_.applied->region);
  }
  return {};
}

/// Ports and counts are decided here, not while executing, so that a plan says all there is to say.
Status Planner::allocate() {
  for (const auto& service : stack_.services) {
    auto& entry = lock_.services[service.name];
    entry.count = std::clamp(entry.count == 0 ? service.scale.min : entry.count, service.scale.min,
                             service.scale.max);
    if (service.type != stack::ServiceType::web) continue;
    lockfile::allocate_slots(lock_, service.name);
    if (!stack_.lb) continue;
    const auto listened = stack::public_ports(*stack_.lb);
    const int port = lockfile::allocate_internal_port(lock_, service.name, listened);
    if (std::find(listened.begin(), listened.end(), port) != listened.end()) {
      const auto& plain = stack_.lb->listen;
      const bool is_plain = std::find(plain.begin(), plain.end(), port) != plain.end();
      return fail(ErrorKind::invalid,
                  fmt::format("lb.{}listen: port {} is the one under which the stack's own servers "
                              "reach {}, and their environment has it",
                              is_plain ? "" : "tls.", port, service.name),
                  "listen on another port, below 30000");
    }
  }
  if (stack_.lb) {
    lock_.services["lb"].count = 1;
    if (!lock_.lb) lock_.lb.emplace();
  }
  lock_.applied = stack_;
  return {};
}

void Planner::plan_key() {
  if (lock_.ssh_key && !lock_.ssh_key->key.id.empty()) return;
  const auto name = lockfile::ssh_key_name(stack_.name);
  add(StepKind::create_key, name, change("the stack has no SSH key yet")).subject = name;
}

void Planner::plan_vpc() {
  const bool known = lock_.vpc && !lock_.vpc->id.empty();
  if (known && input_.observed.vpc) return;
  const auto name = lockfile::vpc_name(stack_.name);
  auto& step =
      add(StepKind::create_vpc, name,
          known ? drift("it was deleted behind its back") : change("the stack has no network yet"));
  step.subject = name;
  step.detail = stack_.region;
}

Status Planner::plan_firewall(const std::string& service) {
  const auto wanted = firewall_of(stack_, lock_, service);
  const auto made = lock_.firewalls.find(service);
  const auto found = input_.observed.firewalls.find(wanted.name);
  if (found == input_.observed.firewalls.end()) {
    const bool known = made != lock_.firewalls.end() && !made->second.id.empty();
    expect_firewall(service);
    auto& step = add(StepKind::create_firewall, service,
                     known ? drift("it was deleted behind its back")
                           : change(fmt::format("{} has no firewall yet", service)));
    step.service = service;
    step.subject = wanted.name;
    step.detail = fmt::format("{} inbound rules", wanted.inbound.size());
    return {};
  }
  const auto actual = normalised(found->second.spec);
  const bool ours = made != lock_.firewalls.end() && made->second.id == found->second.id;
  const auto old = old_rules(actual, wanted);
  const auto first = with(wanted, old);
  if (ours && actual.inbound == first.inbound && actual.outbound == first.outbound &&
      actual.tags == wanted.tags && actual.droplet_ids.empty()) {
    if (!old.empty()) closing_[service] = {wanted.name, reason_of_firewall(service, actual)};
    return {};
  }
  const bool intended = made != lock_.firewalls.end() && made->second.id.empty();
  if (!ours && !lockfile::belongs(actual.tags, stack_.name, intent_of(intended))) {
    return lockfile::foreign("firewall " + wanted.name, stack_.name);
  }
  // Names of firewalls are unique in an account: another one of this name took the place of ours.
  lock_.firewalls[service] = {wanted.name, found->second.id};
  if (!ours) expect_firewall(service);
  const auto reason = ours       ? reason_of_firewall(service, actual)
                      : intended ? Reason::unfinished
                                 : Reason::drift;
  auto& step = add(StepKind::update_firewall, service,
                   ours ? Cause{reason, "its rules differ from what the stack says"}
                        : Cause{reason, "it is not the one that the last run made"});
  step.service = service;
  step.subject = wanted.name;
  step.detail = fmt::format("{} inbound rules", first.inbound.size());
  if (!old.empty()) closing_[service] = {wanted.name, reason};
  return {};
}

/// A firewall that lets through what the stack said when it was applied was not touched since: what
/// differs is the stack. Rules between the stack's own servers that are still too much are the
/// executor's doing.
Reason Planner::reason_of_firewall(const std::string& service,
                                   const digitalocean::FirewallSpec& actual) const {
  const auto& before = input_.lockfile;
  if (!before.applied) return Reason::unfinished;
  const auto meant = firewall_of(*before.applied, before, service);
  const auto old = old_rules(actual, meant);
  const auto left = with(meant, old);
  const bool is_as_applied = old.empty() && actual.inbound == left.inbound &&
                             actual.outbound == left.outbound && actual.tags == left.tags &&
                             actual.droplet_ids.empty();
  return is_as_applied ? Reason::change : Reason::drift;
}

/// Rules that let the stack's own servers through go when nothing is left that needs them.
void Planner::plan_closing() {
  for (const auto& [service, closing] : closing_) {
    const auto& [firewall, reason] = closing;
    std::vector<std::string> after = {"update_firewall/" + service};
    for (const auto& [name, server] : lock_.servers) {
      for (const auto* kind :
           {"start_container/", "add_to_rotation/", "retire_container/", "remove_from_rotation/",
            "write_hosts/", "configure_balancer/", "delete_server/", "forget_server/"}) {
        after.push_back(kind + name);
      }
    }
    auto& step = add(StepKind::close_firewall, service,
                     Cause{reason, "it lets more through than the stack says"}, after);
    step.service = service;
    step.subject = firewall;
  }
}

void Planner::plan_leftover_firewalls() {
  for (const auto& [service, firewall] : lock_.firewalls) {
    if (stack::find_service(stack_, service) != nullptr || (service == "lb" && stack_.lb)) continue;
    std::vector<std::string> after;
    for (const auto& [name, cause] : departures_) {
      if (lock_.servers.at(name).service != service) continue;
      after.push_back("delete_server/" + name);
      after.push_back("forget_server/" + name);
    }
    auto& step = add(StepKind::delete_firewall, service,
                     change(fmt::format("{} is not in the stack any more", service)), after);
    step.service = service;
    step.subject = firewall.name;
  }
}

void Planner::plan_images() {
  std::set<std::string> used;
  for (const auto& service : stack_.services) {
    if (!input_.held.contains(service.name)) used.insert(service.image);
  }
  for (const auto& [name, state] : input_.images) {
    if (!state.needs_build || !used.contains(name)) continue;
    add(StepKind::build_image, name, change(state.cause)).subject = name;
  }
}

/// The reserved IP that the lockfile names, or one that was asked for for a load balancer which
/// leaves now.
const digitalocean::ReservedIp* Planner::find_address() const {
  for (const auto& ip : input_.observed.reserved_ips) {
    if (!lock_.lb->reserved_ip.empty() && ip.ip == lock_.lb->reserved_ip) return &ip;
  }
  if (!lock_.lb->reserved_ip.empty()) return nullptr;
  const bool leaves =
      std::any_of(lock_.servers.begin(), lock_.servers.end(), [&](const auto& entry) {
        return entry.second.leaving && entry.second.droplet.id == lock_.lb->intended_for;
      });
  return leaves ? intended_address(*lock_.lb, input_.observed) : nullptr;
}

std::optional<Step> release_in_doubt(const lockfile::Lockfile& lockfile) {
  if (!lockfile.lb || lockfile.lb->intended_for.empty()) return std::nullopt;
  for (const auto& [name, server] : lockfile.servers) {
    if (server.droplet.id != lockfile.lb->intended_for) continue;
    Step step;
    step.kind = StepKind::release_address;
    step.id = to_text(step.kind) + "/" + name;
    step.server = name;
    step.cause = "an interrupted run may have asked for one";
    step.reason = Reason::unfinished;
    step.detail = "if it gets one";
    return step;
  }
  return std::nullopt;
}

std::set<std::string> take_addresses(lockfile::Lockfile& lockfile,
                                     const observe::Observed& observed) {
  std::set<std::string> addresses;
  if (!lockfile.lb) return addresses;
  auto& lb = *lockfile.lb;
  if (!lb.reserved_ip.empty()) addresses.insert(lb.reserved_ip);
  if (const auto* intended = intended_address(lb, observed); intended != nullptr) {
    addresses.insert(intended->ip);
    lb.reserved_ip = intended->ip;
    lb.intended_for.clear();
  }
  return addresses;
}

void Planner::plan_address() {
  if (!stack_.lb) {
    std::vector<std::string> after;
    for (const auto& [name, cause] : departures_) after.push_back("delete_server/" + name);
    for (const auto& ip : take_addresses(lock_, input_.observed)) {
      add(StepKind::release_address, ip, change("the stack has no load balancer any more"), after)
          .subject = ip;
    }
    if (auto release = release_in_doubt(lock_)) {
      release->after = after;
      ids_.insert(release->id);
      steps_.push_back(std::move(*release));
    }
    return;
  }
  const auto& placed = placed_["lb"].front();
  const auto& server = lock_.servers.at(placed.name);
  const auto* found = find_address();
  if (found == nullptr) {
    const bool known = !lock_.lb->reserved_ip.empty();
    auto& step = add(StepKind::create_address, placed.name,
                     known ? drift("it was released behind its back")
                           : change("the load balancer has no public address yet"),
                     {"create_server/" + placed.name});
    step.server = placed.name;
    step.service = "lb";
    return;
  }
  if (std::to_string(found->droplet_id) == server.droplet.id) return;
  lock_.lb->reserved_ip = found->ip;
  lock_.lb->intended_for.clear();
  std::vector<std::string> after = steps_of_new_balancer();
  after.push_back("power_on_server/" + placed.name);
  auto& step = add(StepKind::assign_address, placed.name,
                   Cause{placed.created ? placed.reason : Reason::drift,
                         fmt::format("{} belongs to another droplet or to none", found->ip)},
                   after);
  step.server = placed.name;
  step.service = "lb";
  step.detail = found->ip;
}

}  // namespace paas::plan
