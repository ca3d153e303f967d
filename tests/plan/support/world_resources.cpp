// Steps of a plan on what the cloud has, carried out on plain values.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lockfile/names.hpp"
#include "plan/balancer.hpp"
#include "plan/firewall.hpp"
#include "plan/releases.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {

/// One that an interrupted run asked for is found by the droplet, which has room for one only.
void World::create_address(std::int64_t droplet) {
  auto& lb = *lock().lb;
  auto& addresses = input.observed.reserved_ips;
  const auto found = std::find_if(addresses.begin(), addresses.end(),
                                  [&](const auto& ip) { return ip.droplet_id == droplet; });
  if (found != addresses.end()) {
    CHECK(lb.intended_for == std::to_string(droplet));
    lb.reserved_ip = found->ip;
  } else {
    lb.reserved_ip = fmt::format("198.18.9.{}", next_id_++);
    addresses.push_back({lb.reserved_ip, input.stack.region, droplet, false});
  }
  lb.intended_for.clear();
}

void World::perform_resource(const Step& step) {
  auto& observed = input.observed;
  switch (step.kind) {
    case StepKind::create_key:
      lock().ssh_key = {{step.subject, new_id("1")}, Secret("key"), "ssh-ed25519 AAAA"};
      return;
    case StepKind::create_vpc:
      lock().vpc = {step.subject, new_id("vpc")};
      observed.vpc = {lock().vpc->id, step.subject, input.stack.region, "10.0.0.0/20", false};
      return;
    case StepKind::create_firewall:
    case StepKind::update_firewall:
      return put_firewall(step);
    case StepKind::close_firewall:
      return close_firewall(step);
    case StepKind::delete_firewall:
      for (const auto& [name, entry] : lock().servers) {
        need(entry.service != step.service, step, "delete_server/" + name);
      }
      observed.firewalls.erase(step.subject);
      lock().firewalls.erase(step.service);
      return;
    case StepKind::build_image:
      input.images.at(step.subject) = {"paas-zipkick-" + step.subject + ":2",
                                       new_id("sha256:" + step.subject), false, ""};
      return;
    case StepKind::create_volume: {
      auto& volume = observed.volumes[step.subject];
      if (volume.id.empty()) {
        volume.id = new_id("volume");
        volume.name = step.subject;
        volume.region = input.stack.region;
        volume.tags = {lockfile::stack_tag(input.stack.name)};
        volume.size_gigabytes = service(step.service).volume->size_gigabytes;
      }
      lock().volumes[step.subject] = {
          {step.subject, volume.id}, step.service, volume.size_gigabytes, volume.region};
      return;
    }
    case StepKind::resize_volume:
      observed.volumes.at(step.subject).size_gigabytes =
          service(step.service).volume->size_gigabytes;
      lock().volumes.at(step.subject).size_gigabytes = service(step.service).volume->size_gigabytes;
      return;
    case StepKind::tag_volume:
      observed.volumes.at(step.subject).tags.push_back(lockfile::stack_tag(input.stack.name));
      return;
    case StepKind::delete_volume:
      need(observed.volumes.at(step.subject).droplet_ids.empty(), step, "detaching it");
      observed.volumes.erase(step.subject);
      lock().volumes.erase(step.subject);
      return;
    case StepKind::create_server:
      return create_server(step);
    case StepKind::create_address:
      need(observed.servers.contains(step.server), step, "create_server/" + step.server);
      return create_address(server(step.server).droplet.id);
    case StepKind::assign_address:
      need(observed.servers.contains(step.server), step, "create_server/" + step.server);
      for (auto& ip : observed.reserved_ips) {
        if (ip.ip == lock().lb->reserved_ip) ip.droplet_id = server(step.server).droplet.id;
      }
      return;
    case StepKind::delete_server:
      return delete_server(step);
    case StepKind::forget_server:
      lock().servers.erase(step.server);
      return;
    case StepKind::release_address:
      std::erase_if(observed.reserved_ips, [&](const auto& ip) { return ip.ip == step.subject; });
      if (lock().lb) lock().lb->reserved_ip.clear();
      if (!input.stack.lb) lock().lb.reset();
      return;
    case StepKind::delete_vpc:
      need(observed.servers.empty(), step, "deleting all servers");
      observed.vpc.reset();
      lock().vpc.reset();
      return;
    case StepKind::delete_key:
      lock().ssh_key.reset();
      return;
    default:
      return;
  }
}

void World::put_firewall(const Step& step) {
  auto spec = firewall_of(input.stack, lock(), step.service);
  auto& entry = lock().firewalls[step.service];
  auto& found = input.observed.firewalls[spec.name];
  if (found.id.empty()) found.id = new_id("firewall");
  if (step.kind == StepKind::update_firewall) {
    CHECK(entry.id == found.id);
    spec = with(spec, old_rules(normalised(found.spec), spec));
  }
  entry = {spec.name, found.id};
  // The API keeps no order.
  std::reverse(spec.inbound.begin(), spec.inbound.end());
  found.spec = std::move(spec);
}

void World::close_firewall(const Step& step) {
  auto wanted = firewall_of(input.stack, lock(), step.service);
  auto& found = input.observed.firewalls.at(wanted.name);
  const auto old = old_rules(normalised(found.spec), wanted);
  CHECK_FALSE(old.empty());
  for (const auto& rule : old.inbound) check_unused(std::stoi(rule.ports), step);
  found.spec = std::move(wanted);
}

/// No container that runs was told this port for something it is linked to.
void World::check_unused(int port, const Step& step) {
  for (const auto& [name, entry] : input.observed.servers) {
    if (!entry.machine) continue;
    // One that leaves serves until it is out of rotation.
    if (lock().servers.at(name).leaving && !is_in_rotation(name)) continue;
    for (const auto& container : entry.machine->containers) {
      if (!holds_port(container)) continue;
      const auto& environment = container.environment;
      const bool uses =
          std::any_of(environment.begin(), environment.end(), [&](const auto& variable) {
            return variable.first.ends_with("_PORT") && variable.second == std::to_string(port);
          });
      need(!uses, step, "retire_container/" + name);
    }
  }
}

void World::create_server(const Step& step) {
  auto& entry = lock().servers.at(step.server);
  need(lock().ssh_key.has_value() && !lock().ssh_key->key.id.empty(), step, "create_key");
  need(input.observed.vpc.has_value(), step, "create_vpc");
  need(lock().firewalls.contains(entry.service), step, "create_firewall/" + entry.service);
  auto& droplet = input.observed.servers[step.server].droplet;
  if (droplet.id == 0) {
    droplet.id = next_id_++;
    droplet.name = step.server;
    droplet.size = entry.size;
    droplet.region = entry.region;
    droplet.tags = tags_of(input.stack, entry.service);
  }
  droplet.status = "active";
  droplet.public_address = fmt::format("198.18.0.{}", droplet.id);
  droplet.private_address = fmt::format("10.0.0.{}", droplet.id);
  entry.droplet = {step.server, std::to_string(droplet.id)};
  entry.public_address = droplet.public_address;
  entry.private_address = droplet.private_address;
}

void World::delete_server(const Step& step) {
  const auto entry = lock().servers.at(step.server);
  const auto* kept = balancer_of(lock());
  const auto now = input.observed.servers.find(
      kept == nullptr ? "" : lockfile::server_name(input.stack.name, "lb", kept->number));
  if (now != input.observed.servers.end() && now->second.machine && entry.service != "lb") {
    for (const auto& [backend, names] : now->second.machine->balancer->known) {
      for (const auto& name : names) {
        need(!name.starts_with(step.server + ".r"), step, "taking it out of HAProxy");
      }
    }
  }
  if (entry.service == "lb" && lock().lb && input.observed.servers.contains(step.server)) {
    for (const auto& ip : input.observed.reserved_ips) {
      const bool served = ip.droplet_id == server(step.server).droplet.id;
      need(kept == nullptr || !served, step, "moving the public address");
    }
  }
  if (input.observed.servers.contains(step.server)) destroy_droplet(step.server);
  lock().servers.erase(step.server);
}

}  // namespace paas::plan::testing
