// Steps on what servers stand on: keys, networks, firewalls, images, volumes, addresses, tags.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "digitalocean/errors.hpp"
#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "lockfile/passwords.hpp"
#include "plan/firewall.hpp"
#include "plan/planner.hpp"
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

/// A network has no tags: one of that name is only taken when an earlier run was about to make it.
Status Run::create_vpc(const plan::Step& step) {
  const auto before = state_.read().vpc;
  std::optional<digitalocean::Vpc> made;
  PAAS_TRY(auto vpcs, tools_.client.vpcs());
  for (const auto& vpc : vpcs) {
    if (vpc.name == step.subject && vpc.region == stack_.region) made = vpc;
  }
  if (made && !(before && before->id.empty())) {
    return lockfile::foreign("private network " + step.subject, stack_.name);
  }
  if (!made) {
    PAAS_CHECK(state_.change([&](auto& next) { next.vpc = {step.subject, ""}; }));
    auto created = tools_.client.create_vpc(step.subject, stack_.region);
    if (!created) {
      // The intent of what was refused would make another's of that name ours.
      if (digitalocean::is_refusal(created.error())) {
        PAAS_CHECK(state_.change([&](auto& next) { next.vpc = before; }));
      }
      return fail(created.error());
    }
    made = std::move(*created);
  }
  return state_.change([&](auto& next) {
    next.vpc->id = made->id;
    next.vpc_range = made->ip_range;
  });
}

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
  const auto lockfile = state_.read();
  const auto before = lockfile.volumes.find(step.subject);
  const bool known = before != lockfile.volumes.end();
  PAAS_TRY(auto found, tools_.client.volumes_by_name(step.subject, stack_.region));
  if (!found.empty() &&
      !lockfile::belongs(found.front().tags, stack_.name,
                         known && before->second.volume.id.empty() ? lockfile::Intent::written
                                                                   : lockfile::Intent::none)) {
    return lockfile::foreign("volume " + step.subject, stack_.name);
  }
  lockfile::Volume entry{
      {step.subject, ""}, step.service, declared.volume->size_gigabytes, stack_.region};
  // The size is that of the file system: one that was found has not grown yet.
  if (!found.empty()) entry.size_gigabytes = found.front().size_gigabytes;
  if (!found.empty() && known) {
    entry.size_gigabytes = std::min(entry.size_gigabytes, before->second.size_gigabytes);
  }
  if (found.empty()) {
    PAAS_CHECK(state_.change([&](auto& next) { next.volumes[step.subject] = entry; }));
    auto made =
        tools_.client.create_volume(step.subject, stack_.region, declared.volume->size_gigabytes,
                                    {lockfile::stack_tag(stack_.name)});
    if (!made) {
      if (!known && digitalocean::is_refusal(made.error())) {
        PAAS_CHECK(state_.change([&](auto& next) { next.volumes.erase(step.subject); }));
      }
      return fail(made.error());
    }
    entry.size_gigabytes = made->size_gigabytes;
    found.push_back(std::move(*made));
  }
  entry.volume.id = found.front().id;
  return state_.change([&](auto& next) { next.volumes[step.subject] = entry; });
}

/// Lets the file system fill the volume on the server that has it. On one that gets it later,
/// mounting does.
Status Run::grow_file_system(const std::string& volume, const std::vector<std::int64_t>& holders) {
  for (const auto& [name, entry] : state_.read().servers) {
    if (entry.leaving || !entry.prepared || holders.empty()) continue;
    if (entry.droplet.id != std::to_string(holders.front())) continue;
    observe::RemoteCommand grow;
    grow.arguments = {"resize2fs", plan::volume_device(volume)};
    PAAS_TRY(auto grown, tools_.machines.run(target(name), grow));
    if (grown.exit_status != 0) {
      return fail(ErrorKind::failed, fmt::format("growing the file system of {} on {}: {}", volume,
                                                 name, grown.error_output));
    }
  }
  return {};
}

/// The size is written down when the file system has it, so that an interruption between the two
/// is seen by the next run.
Status Run::resize_volume(const plan::Step& step) {
  const int wanted = service(step.service).volume->size_gigabytes;
  const auto id = state_.read().volumes.at(step.subject).volume.id;
  std::vector<digitalocean::Volume> found;
  PAAS_CHECK(bring_about(
      "resizing volume " + step.subject, [&]() -> Result<std::optional<digitalocean::Action>> {
        PAAS_TRY(found, tools_.client.volumes_by_name(step.subject, stack_.region));
        if (!found.empty() && found.front().size_gigabytes >= wanted) {
          return std::nullopt;
        }
        return tools_.client.resize_volume(id, wanted, stack_.region);
      }));
  if (!found.empty()) PAAS_CHECK(grow_file_system(step.subject, found.front().droplet_ids));
  return state_.change([&](auto& next) { next.volumes[step.subject].size_gigabytes = wanted; });
}

/// A volume is still attached for a while to a droplet that is gone already.
Status Run::destroy_volume(const std::string& name, const std::string& region,
                           const std::string& id) {
  return poll(options_.timeouts.action, "deleting volume " + name, [&]() -> Result<bool> {
    const auto deleted = tools_.client.delete_volume(id);
    if (deleted) return true;
    if (digitalocean::is_pending_event(deleted.error())) return false;
    if (deleted.error().kind != ErrorKind::exists) return fail(deleted.error());
    PAAS_TRY(const auto found, tools_.client.volumes_by_name(name, region));
    if (found.empty() || found.front().droplet_ids.empty()) return false;
    const auto holder = tools_.client.droplet(found.front().droplet_ids.front());
    if (!holder && holder.error().kind == ErrorKind::not_found) return false;
    return fail(holder ? deleted.error() : holder.error());
  });
}

Status Run::delete_volume(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto entry = lockfile.volumes.find(step.subject);
  if (entry == lockfile.volumes.end()) return {};
  auto id = entry->second.volume.id;
  if (id.empty()) {
    PAAS_TRY(auto found, tools_.client.volumes_by_name(step.subject, entry->second.region));
    // Another stack's is not ours to destroy: then ours was never made.
    if (!found.empty() &&
        lockfile::belongs(found.front().tags, stack_.name, lockfile::Intent::written)) {
      id = found.front().id;
    }
  }
  if (!id.empty()) PAAS_CHECK(destroy_volume(step.subject, entry->second.region, id));
  return state_.change([&](auto& next) {
    next.volumes.erase(step.subject);
    // Nothing knows the password any more.
    const auto owner = next.services.find(step.service);
    if (owner != next.services.end()) lockfile::forget_passwords(owner->second);
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

/// What an interrupted run reserved for a droplet; empty when it reserved none. The droplet is busy
/// while it gets it.
Result<std::string> Run::address_of(std::int64_t droplet) {
  std::string ip;
  PAAS_CHECK(
      poll(options_.timeouts.action, "looking for the droplet's address", [&]() -> Result<bool> {
        const auto found = tools_.client.droplet(droplet);
        if (!found && found.error().kind != ErrorKind::not_found) {
          return fail(found.error());
        }
        if (found && found->locked) return false;
        PAAS_TRY(const auto ips, tools_.client.reserved_ips());
        for (const auto& candidate : ips) {
          if (candidate.droplet_id == droplet) ip = candidate.ip;
        }
        return true;
      }));
  return ip;
}

Status Run::write_address(const std::string& ip) {
  return state_.change([&](auto& next) {
    if (!ip.empty()) next.lb->reserved_ip = ip;
    next.lb->intended_for.clear();
  });
}

/// One that is still on its way to this server has to be found before the droplet goes: nothing
/// else would lead to it.
Status Run::note_address(const std::string& name) {
  const auto lockfile = state_.read();
  const auto found = lockfile.servers.find(name);
  if (!lockfile.lb || lockfile.lb->intended_for.empty() || found == lockfile.servers.end() ||
      found->second.droplet.id != lockfile.lb->intended_for) {
    return {};
  }
  PAAS_TRY(const auto ip, address_of(std::stoll(found->second.droplet.id)));
  return write_address(ip);
}

/// The address of the droplet: the one that an interrupted run asked for, or a new one. Error
/// (exists) when it has one that nobody asked for: a droplet has room for one only.
Result<std::string> Run::reserve_address(const std::string& name) {
  const auto id = server(name).droplet.id;
  const bool intended = state_.read().lb->intended_for == id;
  PAAS_TRY(const auto ips, tools_.client.reserved_ips());
  for (const auto& candidate : ips) {
    if (std::to_string(candidate.droplet_id) != id) continue;
    if (intended) return candidate.ip;
    return fail(ErrorKind::exists,
                fmt::format("droplet {} has reserved IP {}, which this stack did not reserve", name,
                            candidate.ip),
                "nothing was done with it: unassign it there, so that the stack gets its own");
  }
  PAAS_CHECK(state_.change([&](auto& next) { next.lb->intended_for = id; }));
  auto made = tools_.client.create_reserved_ip(std::stoll(id));
  if (made) return made->ip;
  if (!intended && digitalocean::is_refusal(made.error())) PAAS_CHECK(write_address(""));
  return fail(made.error());
}

/// A reserved IP has no name: one that an interrupted run made is found by the droplet it was made
/// for, which may be the one before.
Status Run::create_address(const plan::Step& step) {
  for (const auto& [name, entry] : state_.read().servers) {
    if (entry.leaving) PAAS_CHECK(note_address(name));
  }
  if (const auto known = state_.read().lb->reserved_ip; !known.empty()) {
    // A list without it is not enough to reserve another one.
    const auto there = tools_.client.reserved_ip(known);
    if (there) return assign_address(step);
    if (there.error().kind != ErrorKind::not_found) return fail(there.error());
  }
  std::string ip;
  // The droplet is busy while it gets the one that an interrupted run asked for.
  PAAS_CHECK(when_idle("giving " + step.server + " an address", [&]() -> Status {
    PAAS_TRY(ip, reserve_address(step.server));
    return {};
  }));
  PAAS_CHECK(write_address(ip));
  stage(step, ip);
  return await_address(ip, std::stoll(server(step.server).droplet.id));
}

Status Run::assign_address(const plan::Step& step) {
  const auto droplet = std::stoll(server(step.server).droplet.id);
  const auto ip = state_.read().lb->reserved_ip;
  PAAS_CHECK(bring_about("assigning " + ip, [&]() -> Result<std::optional<digitalocean::Action>> {
    PAAS_TRY(const auto ips, tools_.client.reserved_ips());
    const bool has_it = std::any_of(ips.begin(), ips.end(), [&](const auto& candidate) {
      return candidate.ip == ip && candidate.droplet_id == droplet;
    });
    if (has_it) return std::nullopt;
    return tools_.client.assign_reserved_ip(ip, droplet);
  }));
  return await_address(ip, droplet);
}

Status Run::release_address(const plan::Step& step) {
  const auto lockfile = state_.read();
  auto ip = step.subject;
  if (ip.empty() && lockfile.lb) ip = lockfile.lb->reserved_ip;
  if (!ip.empty()) {
    PAAS_CHECK(when_idle("releasing " + ip, [&] { return tools_.client.delete_reserved_ip(ip); }));
  }
  return state_.change([&](auto& next) {
    if (!next.lb || next.lb->reserved_ip != ip) return;
    next.lb->reserved_ip.clear();
    if (!stack_.lb) next.lb.reset();
  });
}

Status Run::delete_tags(const plan::Step& step) {
  // The stack's own droplets are gone by now: those of another lockfile would lose their firewalls
  // with their tags.
  PAAS_TRY(const auto tagged, tools_.client.droplets_by_tag(lockfile::stack_tag(stack_.name)));
  if (!tagged.empty()) {
    stage(step, fmt::format("left, droplet {} carries them", tagged.front().name));
    return {};
  }
  // Of a volume that the lockfile does not know the tag is the only mark.
  PAAS_TRY(const auto volumes, tools_.client.volumes(stack_.region));
  const auto known = state_.read().volumes;
  for (const auto& volume : volumes) {
    if (known.contains(volume.name)) continue;
    if (!lockfile::belongs(volume.tags, stack_.name, lockfile::Intent::none)) continue;
    stage(step, fmt::format("left, volume {} carries them", volume.name));
    return {};
  }
  // The lockfile remembers the services that left the stack as well.
  std::set<std::string> services = {"lb"};
  for (const auto& declared : stack_.services) services.insert(declared.name);
  for (const auto& [name, entry] : state_.read().services) services.insert(name);
  std::set<std::string> tags = {lockfile::stack_tag(stack_.name)};
  for (const auto& name : services) {
    tags.insert(lockfile::service_tag(stack_.name, name));
    tags.insert(lockfile::client_tag(stack_.name, name));
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
      if (candidate.name == vpc->name && candidate.region == stack_.region) vpc->id = candidate.id;
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
