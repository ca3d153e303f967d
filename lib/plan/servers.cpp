// Plans droplets: which servers stay, which are made, which leave and why.
#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "plan/firewall.hpp"
#include "plan/machine_image.hpp"
#include "plan/planner.hpp"

namespace paas::plan {

const std::string& Planner::size_of(const std::string& service_name) const {
  const auto* service = stack::find_service(stack_, service_name);
  if (service != nullptr && !service->size.empty()) return service->size;
  if (service == nullptr && stack_.lb && !stack_.lb->size.empty()) return stack_.lb->size;
  return stack_.size;
}

void Planner::warn_once(std::string warning) {
  if (std::find(warnings_.begin(), warnings_.end(), warning) != warnings_.end()) return;
  warnings_.push_back(std::move(warning));
}

/// The newest machine image that was saved for the service and fits its disk, else the plain one.
std::string Planner::machine_image(const std::string& service) {
  const auto prefix = lockfile::snapshot_prefix(stack_.name, service);
  const auto disk = input_.observed.disks_gigabytes.find(size_of(service));
  for (const auto& snapshot : input_.observed.snapshots) {
    const auto& regions = snapshot.regions;
    if (!snapshot.name.starts_with(prefix) ||
        std::find(regions.begin(), regions.end(), stack_.region) == regions.end()) {
      continue;
    }
    const auto stale = staleness(snapshot, service, stack_, input_.lockfile, input_.now);
    if (!stale.empty()) {
      warn_once(
          fmt::format("machine image {} is stale: {}; `paasctl image save {} --snapshot` "
                      "makes a new one",
                      snapshot.name, stale, service));
    }
    if (has_other_base(snapshot, stack_)) continue;
    if (disk == input_.observed.disks_gigabytes.end() ||
        snapshot.min_disk_gigabytes <= disk->second) {
      return snapshot.id;
    }
    warn_once(fmt::format("machine image {} is not used: it needs a disk of {} GB, {} has {} GB",
                          snapshot.name, snapshot.min_disk_gigabytes, disk->first, disk->second));
  }
  return stack_.base_image;
}

Cause Planner::reason_to_replace(const std::string& name, const lockfile::Server& server) const {
  if (const auto asked = input_.replace.find(name); asked != input_.replace.end()) {
    return request(asked->second);
  }
  const auto* found = seen(name);
  if (found == nullptr) {
    if (server.droplet.id.empty()) return {};
    return drift(lockfile::is_awaited(server) ? "its droplet was accepted and did not come"
                                              : "its droplet was deleted");
  }
  if (found->droplet.status == "archive") return drift("its droplet is archived");
  if (!server.droplet.id.empty() && std::to_string(found->droplet.id) != server.droplet.id) {
    return drift("its droplet was replaced by another of the same name");
  }
  const auto& wanted = size_of(server.service);
  if (found->droplet.size != wanted) {
    // Somebody resized it when it was made with the size that the stack still says.
    return {server.size == wanted ? Reason::drift : Reason::change,
            fmt::format("its size is {}, the stack says {}", found->droplet.size, wanted)};
  }
  return {};
}

void Planner::plan_new_server(const std::string& service, const Cause& cause, Use use) {
  auto& server = lockfile::allocate_server(lock_, stack_.name, service);
  const auto name = lockfile::server_name(stack_.name, service, server.number);
  server.size = size_of(service);
  server.region = stack_.region;
  server.image = machine_image(service);
  server.warm = use == Use::warm;
  auto after = server.warm ? steps_of_taken(service) : std::vector<std::string>{};
  for (auto& id : {"create_firewall/" + service, "update_firewall/" + service,
                   "create_vpc/" + lockfile::vpc_name(stack_.name),
                   "create_key/" + lockfile::ssh_key_name(stack_.name)}) {
    after.push_back(id);
  }
  auto& step = add(StepKind::create_server, name, cause, std::move(after));
  step.service = service;
  step.server = name;
  step.detail = fmt::format("{} in {}", server.size, server.region);
  if (server.image != stack_.base_image) {
    step.detail += fmt::format(", from snapshot {}", server.image);
  }
  if (server.warm) step.detail += ", kept warm";
  auto& prepare = add(StepKind::prepare_server, name, Cause{cause.reason, "it is new"},
                      {"create_server/" + name});
  prepare.service = service;
  prepare.server = name;
  (server.warm ? warm_ : placed_)[service].push_back({name, true, false, cause.reason});
}

void Planner::plan_tags(const std::string& name) {
  auto& server = lock_.servers.at(name);
  auto wanted = tags_of(stack_, server.service);
  auto actual = seen(name)->droplet.tags;
  std::sort(wanted.begin(), wanted.end());
  std::sort(actual.begin(), actual.end());
  std::vector<std::string> missing;
  std::vector<std::string> surplus;
  std::set_difference(wanted.begin(), wanted.end(), actual.begin(), actual.end(),
                      std::back_inserter(missing));
  std::set_difference(actual.begin(), actual.end(), wanted.begin(), wanted.end(),
                      std::back_inserter(surplus));
  // Tags of others are left alone.
  std::erase_if(surplus, [&](const std::string& tag) {
    return !tag.starts_with(lockfile::stack_tag(stack_.name) + ":");
  });
  // Tags that it had when the stack was applied are missed because somebody took them away, and one
  // that it did not have was put there by somebody.
  const auto applied = input_.lockfile.applied ? tags_of(*input_.lockfile.applied, server.service)
                                               : std::vector<std::string>{};
  const auto was_applied = [&](const std::string& tag) {
    return std::find(applied.begin(), applied.end(), tag) != applied.end();
  };
  if (!missing.empty()) {
    server.firewalled = false;
    const bool drifted = std::any_of(missing.begin(), missing.end(), was_applied);
    auto& step = add(StepKind::tag_server, name,
                     Cause{drifted ? Reason::drift : Reason::change,
                           fmt::format("it lacks {}", fmt::join(missing, ", "))});
    step.service = server.service;
    step.server = name;
  }
  if (!surplus.empty()) {
    // Tags let connections through: an old container needs those that the new one does without.
    const bool drifted = !std::all_of(surplus.begin(), surplus.end(), was_applied);
    auto& step = add(StepKind::untag_server, name,
                     Cause{drifted ? Reason::drift : Reason::change,
                           fmt::format("it still has {}", fmt::join(surplus, ", "))},
                     {"start_container/" + name, "retire_container/" + name});
    step.service = server.service;
    step.server = name;
  }
}

void Planner::plan_existing_server(const std::string& name) {
  auto& server = lock_.servers.at(name);
  const auto* found = seen(name);
  Placed placed{name, false, false, Reason::unfinished};
  // Without an address nothing can be done on it: an earlier run did not wait until it was active.
  if (found == nullptr || server.droplet.id.empty() || server.private_address.empty()) {
    if (found == nullptr) {
      server.size = size_of(server.service);
      server.image = machine_image(server.service);
    }
    auto& step = add(StepKind::create_server, name, unfinished("an earlier run meant to make it"),
                     {"create_firewall/" + server.service, "update_firewall/" + server.service,
                      "create_vpc/" + lockfile::vpc_name(stack_.name),
                      "create_key/" + lockfile::ssh_key_name(stack_.name)});
    step.service = server.service;
    step.server = name;
    step.detail =
        fmt::format("{} in {}{}", server.size, server.region, server.warm ? ", kept warm" : "");
    placed.created = true;
  } else {
    if (found->droplet.status == "off") {
      auto& step = add(StepKind::power_on_server, name, drift("it is powered off"));
      step.service = server.service;
      step.server = name;
      if (server.prepared) {
        warnings_.push_back(
            fmt::format("{} is off: what else has to change on it is known when it is on", name));
      }
    }
    plan_tags(name);
  }
  if (!server.prepared) {
    auto& step = add(StepKind::prepare_server, name,
                     unfinished(placed.created ? "it is new" : "an earlier run did not finish it"),
                     {"create_server/" + name, "power_on_server/" + name});
    step.service = server.service;
    step.server = name;
    placed.created = true;
  }
  placed.looked_at = machine(name) != nullptr;
  if (!placed.created && !placed.looked_at && found->droplet.status != "off") {
    warnings_.push_back(
        fmt::format("{} was not looked at: {}", name,
                    found->unreachable.empty() ? "not asked to" : found->unreachable));
    if (!found->unreachable.empty()) unreached_.push_back(name);
  }
  (server.warm ? warm_ : placed_)[server.service].push_back(placed);
}

/// Those that leave are written down as leaving.
void Planner::sort_out_servers(const std::string& service, Staff& serving, Staff& warm) {
  for (auto& [name, server] : lock_.servers) {
    if (server.service != service) continue;
    if (server.leaving) {
      departures_[name] = unfinished("it was taken out");
      continue;
    }
    auto& staff = server.warm ? warm : serving;
    const auto reason = reason_to_replace(name, server);
    if (reason.empty()) {
      staff.names.push_back(name);
      continue;
    }
    server.leaving = true;
    departures_[name] = reason;
    staff.causes.push_back({reason.reason, fmt::format("replaces {}: {}", name, reason.text)});
  }
  std::sort(serving.names.begin(), serving.names.end(), [&](const auto& left, const auto& right) {
    return lock_.servers.at(left).number < lock_.servers.at(right).number;
  });
}

void Planner::plan_servers(const std::string& service) {
  Staff serving;
  Staff warm;
  sort_out_servers(service, serving, warm);
  auto& staying = serving.names;
  const auto wanted = static_cast<std::size_t>(lock_.services.at(service).count);
  while (staying.size() > wanted) {
    lock_.servers.at(staying.back()).leaving = true;
    departures_[staying.back()] =
        change(fmt::format("{} shall have {} of {} servers", service, wanted, staying.size()));
    staying.pop_back();
  }
  const auto had = staying.size();
  const auto cause_of = [&](std::size_t index) {
    return index < serving.causes.size()
               ? serving.causes[index]
               : change(fmt::format("{} shall have {} server{}, has {}", service, wanted,
                                    wanted == 1 ? "" : "s", had));
  };
  while (staying.size() < wanted) {
    auto taken = take_warm(warm.names, cause_of(staying.size() - had));
    if (!taken) break;
    staying.push_back(std::move(*taken));
  }
  for (const auto& name : staying) plan_existing_server(name);
  for (auto count = staying.size(); count < wanted; ++count) {
    plan_new_server(service, cause_of(count - had), Use::serving);
  }
  plan_warm_servers(service, std::move(warm));
}

/// Servers leave when those that stay are in rotation: nothing is taken away before its successor
/// serves.
void Planner::plan_departures() {
  for (auto& [name, server] : lock_.servers) {
    const bool has_role = stack::find_service(stack_, server.service) != nullptr ||
                          (server.service == "lb" && stack_.lb);
    if (!has_role) {
      server.leaving = true;
      departures_[name] = change(fmt::format("{} is not in the stack any more", server.service));
    }
  }
  for (const auto& [name, volume] : lock_.volumes) {
    const auto* service = stack::find_service(stack_, volume.service);
    if (service == nullptr || !service->volume) {
      warnings_.push_back(fmt::format(
          "volume {} is kept although nothing uses it: `paasctl down --volumes` destroys "
          "volumes",
          name));
    }
  }
  for (const auto& [name, server] : input_.observed.servers) {
    if (lock_.servers.contains(name) || lock_.temporary.contains(name)) continue;
    warnings_.push_back(fmt::format(
        "droplet {} ({}) carries the stack's tag, but the lockfile does not know it: it is left "
        "alone",
        name, server.droplet.id));
  }
  for (const auto& [name, cause] : departures_) plan_leaving_server(name, cause);
}

/// Whether servers of `user` may still talk to `service`: they are linked to it, or it leaves the
/// stack, in which case those that were linked cannot be told from the others any more.
bool Planner::uses(const std::string& user, const std::string& service) const {
  const auto* declared = stack::find_service(stack_, user);
  if (declared == nullptr || service == "lb") return false;
  if (stack::find_service(stack_, service) == nullptr) return true;
  return std::any_of(declared->links.begin(), declared->links.end(),
                     [&](const stack::Link& link) { return link.to == service; });
}

/// What has to be done before a server of the service can go without being missed.
std::vector<std::string> Planner::steps_before_leaving(const std::string& service) const {
  const bool is_balancer = service == "lb";
  std::vector<std::string> steps;
  if (!is_balancer) steps = steps_of_old_balancer();
  for (const auto& [name, entry] : lock_.servers) {
    const bool is_user = uses(entry.service, service);
    if (entry.leaving) {
      if (is_user) steps.push_back("remove_from_rotation/" + name);
      continue;
    }
    if (is_user) steps.push_back("retire_container/" + name);
    // Every container knows the load balancer by its hosts file.
    if (is_balancer) steps.push_back("write_hosts/" + name);
    if (is_balancer || is_user || entry.service == service) {
      steps.push_back("start_container/" + name);
      steps.push_back("add_to_rotation/" + name);
    }
    if (entry.service == "lb") {
      steps.push_back("configure_balancer/" + name);
      if (is_balancer) steps.push_back("assign_address/" + name);
      if (is_balancer) steps.push_back("move_certificates/" + name);
    }
  }
  return steps;
}

void Planner::plan_leaving_server(const std::string& name, const Cause& cause) {
  const auto& server = lock_.servers.at(name);
  const auto* found = seen(name);
  // Without an identifier it is unknown whether it was created: deleting looks for it by its name.
  const bool exists = found != nullptr || server.droplet.id.empty();
  std::vector<std::string> after = {"remove_from_rotation/" + name, "stop_container/" + name};
  // What does not exist serves nobody who would have to be waited for.
  if (exists) {
    for (auto& id : steps_before_leaving(server.service)) after.push_back(std::move(id));
  }
  auto& step = add(exists ? StepKind::delete_server : StepKind::forget_server, name, cause, after);
  step.service = server.service;
  step.server = name;
}

}  // namespace paas::plan
