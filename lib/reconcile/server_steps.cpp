// Steps on droplets that exist: preparing, tagging, volumes, destroying.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "digitalocean/errors.hpp"
#include "lockfile/names.hpp"
#include "observe/observe.hpp"
#include "plan/firewall.hpp"
#include "plan/planner.hpp"
#include "reconcile/run.hpp"

namespace paas::reconcile {

/// All keys that may be in use are accepted while one takes the other's place, so that an
/// interruption shuts nobody out: the server may have gone over to the key of a run that was cut
/// short, and have been asked for yet another one now.
Status Run::rotate_host_key(const plan::Step& step) {
  PAAS_TRY(auto next_key, tools_.machines.make_host_key(target(step.server)));
  const auto accepted = server(step.server).host_key;
  const auto keys = text::split(accepted, ';');
  if (std::find(keys.begin(), keys.end(), next_key) == keys.end()) {
    PAAS_CHECK(state_.change(
        [&](auto& next) { next.servers.at(step.server).host_key = accepted + ";" + next_key; }));
  }
  // Another set of keys means another connection.
  PAAS_CHECK(tools_.machines.await_ssh(target(step.server), options_.timeouts.ssh));
  PAAS_CHECK(tools_.machines.use_host_key(target(step.server), next_key));
  PAAS_CHECK(state_.change([&](auto& next) {
    auto& entry = next.servers.at(step.server);
    entry.host_key = next_key;
    entry.first_host_key = Secret();
  }));
  return tools_.machines.await_ssh(target(step.server), options_.timeouts.ssh);
}

/// The host key that came in the user data lives until cloud-init is done, which restarts sshd
/// while it is at work: a change of keys in between would find it down.
Status Run::prepare_server(const plan::Step& step) {
  PAAS_CHECK(tools_.machines.await_ssh(target(step.server), options_.timeouts.ssh));
  stage(step, "SSH");
  PAAS_CHECK(tools_.machines.await_cloud_init(target(step.server), options_.timeouts.cloud_init));
  stage(step, "cloud-init");
  PAAS_CHECK(rotate_host_key(step));
  stage(step, "host key");
  PAAS_CHECK(tools_.machines.await_docker(target(step.server), options_.timeouts.docker));
  stage(step, "Docker");
  return state_.change([&](auto& next) { next.servers.at(step.server).prepared = true; });
}

Status Run::tag_server(const plan::Step& step) {
  const auto entry = server(step.server);
  const auto id = std::stoll(entry.droplet.id);
  PAAS_TRY(const auto droplet, tools_.client.droplet(id));
  for (const auto& tag : plan::tags_of(stack_, entry.service)) {
    if (std::find(droplet.tags.begin(), droplet.tags.end(), tag) != droplet.tags.end()) continue;
    PAAS_CHECK(tools_.client.create_tag(tag));
    PAAS_CHECK(tools_.client.tag_droplets(tag, {id}));
  }
  return {};
}

Status Run::untag_server(const plan::Step& step) {
  const auto entry = server(step.server);
  const auto id = std::stoll(entry.droplet.id);
  PAAS_TRY(const auto droplet, tools_.client.droplet(id));
  const auto wanted = plan::tags_of(stack_, entry.service);
  for (const auto& tag : droplet.tags) {
    if (!tag.starts_with(lockfile::stack_tag(stack_.name) + ":")) continue;
    if (std::find(wanted.begin(), wanted.end(), tag) != wanted.end()) continue;
    PAAS_CHECK(tools_.client.untag_droplets(tag, {id}));
  }
  return {};
}

/// Whoever takes the server has not to ask the provider for anything before its container starts.
Status Run::keep_warm(const plan::Step& step) {
  PAAS_CHECK(await_firewall(step));
  stage(step, "firewall");
  return state_.change([&](auto& next) { next.servers.at(step.server).firewalled = true; });
}

/// As the list that all waiting steps share shows it, read after the mark; one that the list lacks,
/// because its tags were taken away, is asked for itself.
Result<digitalocean::Droplet> Run::listed_droplet(std::int64_t id, std::uint64_t after) {
  PAAS_TRY(const auto droplets, droplets_.items(after));
  const auto listed = std::find_if(droplets->begin(), droplets->end(),
                                   [&](const auto& droplet) { return droplet.id == id; });
  if (listed != droplets->end()) return *listed;
  return tools_.client.droplet(id);
}

Status Run::power_on_server(const plan::Step& step) {
  const auto id = std::stoll(server(step.server).droplet.id);
  std::uint64_t seen = 0;
  PAAS_CHECK(bring_about("powering on " + step.server,
                         [&]() -> Result<std::optional<digitalocean::Action>> {
                           PAAS_TRY(const auto droplet, listed_droplet(id, seen));
                           if (droplet.status == "active") return std::nullopt;
                           // What the action comes to is only in a list that is read after it.
                           seen = droplets_.mark();
                           return tools_.client.droplet_action(id, "power_on");
                         }));
  if (!server(step.server).prepared) return {};
  PAAS_CHECK(tools_.machines.await_ssh(target(step.server), options_.timeouts.ssh));
  stage(step, "SSH");
  PAAS_CHECK(tools_.machines.await_docker(target(step.server), options_.timeouts.docker));
  stage(step, "Docker");
  return {};
}

Status Run::detach_volume(const std::string& volume, const std::string& region,
                          std::int64_t droplet) {
  return bring_about("detaching volume " + volume,
                     [&]() -> Result<std::optional<digitalocean::Action>> {
                       PAAS_TRY(const auto found, tools_.client.volumes_by_name(volume, region));
                       if (found.empty()) return std::nullopt;
                       const auto& holders = found.front().droplet_ids;
                       if (std::find(holders.begin(), holders.end(), droplet) == holders.end()) {
                         return std::nullopt;
                       }
                       return tools_.client.detach_volume(found.front().id, droplet, region);
                     });
}

/// The next action on the way of a volume to a droplet: a server that leaves gives it up first.
Result<std::optional<digitalocean::Action>> Run::move_volume(const plan::Step& step,
                                                             std::int64_t droplet) {
  PAAS_TRY(const auto found, tools_.client.volumes_by_name(step.subject, stack_.region));
  const auto lockfile = state_.read();
  if (found.empty() || found.front().id != lockfile.volumes.at(step.subject).volume.id) {
    return fail(ErrorKind::not_found, fmt::format("volume {} does not exist", step.subject));
  }
  const auto& volume = found.front();
  for (const auto holder : volume.droplet_ids) {
    if (holder == droplet) return std::nullopt;
    const auto ours =
        std::find_if(lockfile.servers.begin(), lockfile.servers.end(), [&](const auto& candidate) {
          return candidate.second.leaving && candidate.second.droplet.id == std::to_string(holder);
        });
    if (ours == lockfile.servers.end()) {
      return fail(
          ErrorKind::failed,
          fmt::format("volume {} is attached to droplet {}, which is not a server that leaves",
                      step.subject, holder),
          "detach it there first; paasctl never takes a volume from a droplet in use");
    }
    PAAS_TRY(auto action, tools_.client.detach_volume(volume.id, holder, stack_.region));
    stage(step, "detached from " + ours->first);
    return action;
  }
  return tools_.client.attach_volume(volume.id, droplet, stack_.region);
}

Status Run::attach_volume(const plan::Step& step) {
  const auto droplet = std::stoll(server(step.server).droplet.id);
  PAAS_CHECK(
      bring_about("attaching volume " + step.subject, [&] { return move_volume(step, droplet); }));
  stage(step, "attached");
  PAAS_CHECK(tools_.machines.mount_volume(
      target(step.server), {plan::volume_device(step.subject), plan::volume_folder(step.subject)}));
  stage(step, "mounted");
  return {};
}

/// Lets a database stop in order and takes its volumes off before its droplet is destroyed.
Status Run::release_volumes(const plan::Step& step, std::int64_t droplet) {
  const auto lockfile = state_.read();
  for (const auto& [name, entry] : lockfile.volumes) {
    if (entry.service != step.service || entry.volume.id.empty()) continue;
    PAAS_TRY(auto found, tools_.client.volumes_by_name(name, entry.region));
    if (found.empty()) continue;
    const auto& holders = found.front().droplet_ids;
    if (std::find(holders.begin(), holders.end(), droplet) == holders.end()) continue;
    if (server(step.server).prepared) {
      // A server that does not answer any more loses its volume without ceremony; its journal will
      // tell.
      auto stopped = stop_container(step);
      if (!stopped && stopped.error().kind == ErrorKind::unauthorised) return stopped;
      if (!stopped) stage(step, "does not answer: " + describe(stopped.error()));
    }
    PAAS_CHECK(detach_volume(name, entry.region, droplet));
    stage(step, "volume detached");
  }
  return {};
}

/// One list tells for all that wait. That it lacks a droplet proves nothing, because tags apply
/// late and can be taken away: only then is the droplet itself asked for.
Status Run::await_gone(std::int64_t droplet) {
  return poll(options_.timeouts.gone, "destroying the droplet", [&]() -> Result<bool> {
    PAAS_TRY(const auto droplets, droplets_.items());
    const bool listed = std::any_of(droplets->begin(), droplets->end(),
                                    [&](const auto& other) { return other.id == droplet; });
    if (listed) return false;
    auto found = tools_.client.droplet(droplet);
    if (found) return false;
    if (found.error().kind == ErrorKind::not_found) return true;
    return fail(found.error());
  });
}

Status Run::delete_server(const plan::Step& step) {
  PAAS_CHECK(state_.change([&](auto& next) {
    const auto entry = next.servers.find(step.server);
    if (entry != next.servers.end()) entry->second.leaving = true;
  }));
  auto id = server(step.server).droplet.id;
  if (!lockfile::is_asked_for(server(step.server))) PAAS_CHECK(check_unseen({step.server}));
  if (id.empty() && lockfile::is_asked_for(server(step.server))) {
    PAAS_TRY(auto found, find_droplet(step.server, options_.timeouts.grace));
    if (found) id = std::to_string(found->id);
  }
  if (!id.empty()) {
    const auto droplet = std::stoll(id);
    PAAS_CHECK(release_volumes(step, droplet));
    PAAS_CHECK(note_address(step.server));
    // A droplet that is busy with another action cannot be deleted yet.
    PAAS_CHECK(poll(options_.timeouts.action, "deleting " + step.server, [&]() -> Result<bool> {
      auto deleted = tools_.client.delete_droplet(droplet);
      if (deleted) return true;
      if (digitalocean::is_pending_event(deleted.error())) return false;
      return fail(deleted.error());
    }));
    stage(step, "deletion accepted");
    PAAS_CHECK(await_gone(droplet));
  }
  return state_.change([&](auto& next) { next.servers.erase(step.server); });
}

}  // namespace paas::reconcile
