// Steps on volumes: made, enlarged with their file systems, and destroyed.
#include <fmt/format.h>

#include <algorithm>

#include "digitalocean/errors.hpp"
#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "lockfile/passwords.hpp"
#include "plan/planner.hpp"
#include "reconcile/run.hpp"

namespace paas::reconcile {

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
    return lockfile::foreign_volume(step.subject, found.front().tags, stack_.name);
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
      // The intent of what was refused would make another's of that name ours.
      if (digitalocean::is_refusal(made.error())) {
        PAAS_CHECK(state_.change([&](auto& next) {
          next.volumes.erase(step.subject);
          if (known) next.volumes[step.subject] = before->second;
        }));
      }
      return fail(made.error());
    }
    entry.size_gigabytes = made->size_gigabytes;
    found.push_back(std::move(*made));
  }
  entry.volume.id = found.front().id;
  if (!lockfile::belongs(found.front().tags, stack_.name, lockfile::Intent::none)) {
    PAAS_CHECK(put_tag_on_volume(entry.volume.id));
  }
  return state_.change([&](auto& next) { next.volumes[step.subject] = entry; });
}

Status Run::put_tag_on_volume(const std::string& id) {
  const auto tag = lockfile::stack_tag(stack_.name);
  PAAS_CHECK(tools_.client.create_tag(tag));
  return tools_.client.tag_volume(tag, id);
}

Status Run::tag_volume(const plan::Step& step) {
  return put_tag_on_volume(state_.read().volumes.at(step.subject).volume.id);
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

}  // namespace paas::reconcile
