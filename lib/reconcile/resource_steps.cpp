// Steps on what servers stand on: keys, networks, images, tags.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "digitalocean/errors.hpp"
#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
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

Status Run::delete_tags(const plan::Step& step) {
  // The stack's own droplets are gone by now: those of another lockfile would lose their firewalls
  // with their tags.
  PAAS_TRY(const auto tagged, tools_.client.droplets_by_tag(lockfile::stack_tag(stack_.name)));
  if (!tagged.empty()) {
    stage(step, fmt::format("left, droplet {} carries them", tagged.front().name));
    return {};
  }
  // Of a volume that the lockfile does not know the tag is the only mark, and of one that is kept
  // it is the only one when the lockfile is lost.
  const auto known = state_.read().volumes;
  const bool keeps_volume = std::any_of(known.begin(), known.end(), [&](const auto& entry) {
    return !destroyed_volumes_.contains(entry.first);
  });
  PAAS_TRY(const auto volumes, tools_.client.volumes(stack_.region));
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
  std::set<std::string> tags;
  if (!keeps_volume) tags.insert(lockfile::stack_tag(stack_.name));
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
