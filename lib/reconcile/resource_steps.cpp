// Steps on what servers stand on: keys, networks, firewalls, images, volumes, addresses, tags.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "digitalocean/errors.hpp"
#include "lockfile/names.hpp"
#include "plan/firewall.hpp"
#include "reconcile/run.hpp"
#include "ssh/keys.hpp"

namespace paas::reconcile {

Status Run::create_key(const plan::Step& step) {
  auto lockfile = state_.read();
  if (!lockfile.ssh_key || lockfile.ssh_key->private_key.empty()) {
    PAAS_TRY(auto pair,
             ssh::generate_key(tools_.processes, tools_.files, tools_.scratch, step.subject));
    PAAS_CHECK(state_.change([&](auto& next) {
      next.ssh_key = {{step.subject, ""}, pair.private_key, pair.public_key};
    }));
    lockfile = state_.read();
  }
  PAAS_CHECK(tools_.files.write_atomically(tools_.scratch + "/identity",
                                           lockfile.ssh_key->private_key.reveal(), 0600));
  // A key that an interrupted run registered is found by its fingerprint, which no other key has.
  PAAS_TRY(auto key,
           tools_.client.find_ssh_key(ssh::fingerprint_md5(lockfile.ssh_key->public_key)));
  if (!key) {
    PAAS_TRY(key, tools_.client.create_ssh_key(step.subject, lockfile.ssh_key->public_key));
  }
  return state_.change([&](auto& next) { next.ssh_key->key.id = std::to_string(key->id); });
}

Status Run::create_vpc(const plan::Step& step) {
  PAAS_CHECK(state_.change([&](auto& next) { next.vpc = {step.subject, ""}; }));
  std::optional<digitalocean::Vpc> made;
  PAAS_TRY(auto vpcs, tools_.client.vpcs());
  for (const auto& vpc : vpcs) {
    if (vpc.name == step.subject && vpc.region == stack_.region) made = vpc;
  }
  if (!made) {
    PAAS_TRY(made, tools_.client.create_vpc(step.subject, stack_.region));
  }
  return state_.change([&](auto& next) {
    next.vpc->id = made->id;
    next.vpc_range = made->ip_range;
  });
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
  PAAS_CHECK(state_.change([&](auto& next) {
    auto& firewall = next.firewalls[step.service];
    if (firewall.name != spec.name) firewall = {spec.name, ""};
  }));
  std::string id = step.kind == plan::StepKind::update_firewall
                       ? state_.read().firewalls.at(step.service).id
                       : "";
  if (id.empty()) {
    // Names of firewalls are unique in an account: one that is there is ours, of an interrupted
    // run.
    PAAS_TRY(auto firewalls, tools_.client.firewalls());
    for (const auto& firewall : firewalls) {
      if (firewall.spec.name == spec.name) id = firewall.id;
    }
  }
  auto made =
      id.empty() ? tools_.client.create_firewall(spec) : tools_.client.update_firewall(id, spec);
  if (!made) return fail(made.error());
  PAAS_CHECK(state_.change([&](auto& next) { next.firewalls[step.service].id = made->id; }));
  return await_firewall(step);
}

Status Run::await_firewall(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto entry = lockfile.firewalls.find(step.service);
  if (entry == lockfile.firewalls.end() || entry->second.id.empty()) return {};
  return poll(options_.timeouts.firewall, "applying firewall " + entry->second.name,
              [&]() -> Result<bool> {
                PAAS_TRY(auto firewall, tools_.client.firewall(entry->second.id));
                if (firewall.status == "failed") {
                  return fail(ErrorKind::failed,
                              fmt::format("firewall {} could not be applied", firewall.spec.name));
                }
                return firewall.pending_droplets.empty() && firewall.status == "succeeded";
              });
}

Status Run::delete_firewall(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto entry = lockfile.firewalls.find(step.service);
  if (entry == lockfile.firewalls.end()) return {};
  auto id = entry->second.id;
  if (id.empty()) {
    PAAS_TRY(auto firewalls, tools_.client.firewalls());
    for (const auto& firewall : firewalls) {
      if (firewall.spec.name == entry->second.name) id = firewall.id;
    }
  }
  if (!id.empty()) PAAS_CHECK(tools_.client.delete_firewall(id));
  return state_.change([&](auto& next) { next.firewalls.erase(step.service); });
}

Status Run::build_image(const plan::Step& step) {
  PAAS_TRY(auto state, tools_.images.build(stack_, step.subject, [&](std::string_view text) {
    Event event;
    event.kind = EventKind::output;
    event.step = step;
    event.text = text;
    tell(std::move(event));
  }));
  const std::scoped_lock lock(images_mutex_);
  images_[step.subject] = std::move(state);
  return {};
}

Status Run::create_volume(const plan::Step& step) {
  const auto& declared = service(step.service);
  PAAS_CHECK(state_.change([&](auto& next) {
    next.volumes[step.subject] = {
        {step.subject, ""}, step.service, declared.volume->size_gigabytes, stack_.region};
  }));
  PAAS_TRY(auto found, tools_.client.volumes_by_name(step.subject, stack_.region));
  if (found.empty()) {
    PAAS_TRY(auto made, tools_.client.create_volume(step.subject, stack_.region,
                                                    declared.volume->size_gigabytes,
                                                    {lockfile::stack_tag(stack_.name)}));
    found.push_back(std::move(made));
  }
  return state_.change([&](auto& next) {
    next.volumes[step.subject].volume.id = found.front().id;
    next.volumes[step.subject].size_gigabytes = found.front().size_gigabytes;
  });
}

Status Run::resize_volume(const plan::Step& step) {
  const auto& declared = service(step.service);
  const auto lockfile = state_.read();
  const auto& volume = lockfile.volumes.at(step.subject);
  PAAS_TRY(auto action, when_idle([&] {
             return tools_.client.resize_volume(volume.volume.id, declared.volume->size_gigabytes,
                                                stack_.region);
           }));
  PAAS_CHECK(await_action(action, "resizing volume " + step.subject));
  for (const auto& [name, holder] : lockfile.servers) {
    if (holder.service != step.service || holder.leaving || !holder.prepared) continue;
    PAAS_TRY(auto found, tools_.client.volumes_by_name(step.subject, stack_.region));
    if (found.empty() || found.front().droplet_ids.empty() ||
        std::to_string(found.front().droplet_ids.front()) != holder.droplet.id) {
      continue;
    }
    observe::RemoteCommand grow;
    grow.arguments = {"resize2fs", "/dev/disk/by-id/scsi-0DO_Volume_" + step.subject};
    PAAS_TRY(auto grown, tools_.machines.run(target(name), grow));
    if (grown.exit_status != 0) {
      return fail(ErrorKind::failed, fmt::format("growing the file system of {} on {}: {}",
                                                 step.subject, name, grown.error_output));
    }
  }
  return state_.change([&](auto& next) {
    next.volumes[step.subject].size_gigabytes = declared.volume->size_gigabytes;
  });
}

Status Run::delete_volume(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto entry = lockfile.volumes.find(step.subject);
  if (entry == lockfile.volumes.end()) return {};
  auto id = entry->second.volume.id;
  if (id.empty()) {
    PAAS_TRY(auto found, tools_.client.volumes_by_name(step.subject, entry->second.region));
    if (!found.empty()) id = found.front().id;
  }
  if (!id.empty()) PAAS_CHECK(tools_.client.delete_volume(id));
  return state_.change([&](auto& next) {
    next.volumes.erase(step.subject);
    // Nothing knows the password any more.
    const auto owner = next.services.find(step.service);
    if (owner != next.services.end()) owner->second.password = Secret();
  });
}

Status Run::await_address(const std::string& ip, std::int64_t droplet) {
  return poll(options_.timeouts.action, "assigning " + ip, [&]() -> Result<bool> {
    PAAS_TRY(auto ips, tools_.client.reserved_ips());
    const auto found = std::find_if(ips.begin(), ips.end(),
                                    [&](const auto& candidate) { return candidate.ip == ip; });
    return found != ips.end() && found->droplet_id == droplet && !found->locked;
  });
}

/// A reserved IP has no name: one that an interrupted run made is found by the droplet it was made
/// for.
Status Run::create_address(const plan::Step& step) {
  const auto droplet = std::stoll(server(step.server).droplet.id);
  std::string ip;
  PAAS_TRY(auto ips, tools_.client.reserved_ips());
  for (const auto& candidate : ips) {
    if (candidate.droplet_id == droplet) ip = candidate.ip;
  }
  if (ip.empty()) {
    PAAS_TRY(auto made, tools_.client.create_reserved_ip(droplet));
    ip = made.ip;
  }
  PAAS_CHECK(state_.change([&](auto& next) { next.lb->reserved_ip = ip; }));
  stage(step, ip);
  return await_address(ip, droplet);
}

Status Run::assign_address(const plan::Step& step) {
  const auto droplet = std::stoll(server(step.server).droplet.id);
  const auto ip = state_.read().lb->reserved_ip;
  PAAS_TRY(auto action, when_idle([&] { return tools_.client.assign_reserved_ip(ip, droplet); }));
  PAAS_CHECK(await_action(action, "assigning " + ip));
  return await_address(ip, droplet);
}

Status Run::release_address(const plan::Step& step) {
  PAAS_CHECK(tools_.client.delete_reserved_ip(step.subject));
  return state_.change([&](auto& next) {
    if (!next.lb || next.lb->reserved_ip != step.subject) return;
    next.lb->reserved_ip.clear();
    if (!stack_.lb) next.lb.reset();
  });
}

Status Run::delete_tags(const plan::Step&) {
  std::set<std::string> tags = {lockfile::stack_tag(stack_.name),
                                lockfile::service_tag(stack_.name, "lb")};
  for (const auto& declared : stack_.services) {
    tags.insert(lockfile::service_tag(stack_.name, declared.name));
    tags.insert(lockfile::client_tag(stack_.name, declared.name));
  }
  for (const auto& tag : tags) PAAS_CHECK(tools_.client.delete_tag(tag));
  return {};
}

Status Run::delete_vpc(const plan::Step&) {
  auto vpc = state_.read().vpc;
  if (!vpc) return {};
  if (vpc->id.empty()) {
    PAAS_TRY(auto vpcs, tools_.client.vpcs());
    for (const auto& candidate : vpcs) {
      if (candidate.name == vpc->name) vpc->id = candidate.id;
    }
  }
  if (!vpc->id.empty()) {
    // Members leave it some time after they are gone.
    PAAS_CHECK(poll(options_.timeouts.gone, "emptying network " + vpc->name, [&]() -> Result<bool> {
      auto deleted = tools_.client.delete_vpc(vpc->id);
      if (deleted || deleted.error().kind == ErrorKind::not_found) return true;
      if (digitalocean::is_vpc_in_use(deleted.error())) return false;
      return fail(deleted.error());
    }));
  }
  return state_.change([&](auto& next) {
    next.vpc.reset();
    next.vpc_range.clear();
  });
}

Status Run::delete_key(const plan::Step&) {
  const auto key = state_.read().ssh_key;
  if (!key) return {};
  auto id = key->key.id;
  if (id.empty() && !key->public_key.empty()) {
    PAAS_TRY(auto found, tools_.client.find_ssh_key(ssh::fingerprint_md5(key->public_key)));
    if (found) id = std::to_string(found->id);
  }
  if (!id.empty()) PAAS_CHECK(tools_.client.delete_ssh_key(std::stoll(id)));
  return state_.change([&](auto& next) { next.ssh_key.reset(); });
}

}  // namespace paas::reconcile
