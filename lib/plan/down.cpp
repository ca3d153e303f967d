// plan::make_down: everything goes, volumes only when asked for.
#include <fmt/format.h>

#include "lockfile/names.hpp"
#include "plan/losses.hpp"
#include "plan/make.hpp"
#include "plan/planner.hpp"
#include "plan/strays.hpp"

namespace paas::plan {

namespace {

Step& add(Plan& plan, StepKind kind, const std::string& key, std::string cause,
          std::vector<std::string> after) {
  Step step;
  step.kind = kind;
  step.id = to_text(kind) + "/" + key;
  step.cause = std::move(cause);
  step.reason = Reason::request;
  step.after = std::move(after);
  plan.steps.push_back(std::move(step));
  return plan.steps.back();
}

std::vector<std::string> remove_servers(Plan& plan, const observe::Observed& observed,
                                        const std::string& cause) {
  std::vector<std::string> removed;
  for (auto& [name, server] : plan.lockfile.servers) {
    server.leaving = true;
    const bool exists = observed.servers.contains(name) || server.droplet.id.empty();
    auto& step =
        add(plan, exists ? StepKind::delete_server : StepKind::forget_server, name, cause, {});
    step.server = name;
    step.service = server.service;
    removed.push_back(step.id);
  }
  return removed;
}

/// What stays goes on costing money, and nothing else would remind of it.
void note_kept(Plan& plan, const lockfile::Lockfile& lockfile, const observe::Observed& observed) {
  const auto note = [&](const digitalocean::Droplet& droplet) {
    plan.warnings.push_back(fmt::format(
        "droplet {} ({}) carries the stack's tag, but the lockfile does not know it: it is left "
        "alone and goes on costing money",
        droplet.name, droplet.id));
  };
  for (const auto& [name, server] : observed.servers) {
    const bool is_known = lockfile.servers.contains(name);
    if (!is_known && !lockfile.temporary.contains(name)) note(server.droplet);
  }
  for (const auto& droplet : observed.namesakes) note(droplet);
  const auto stack = lockfile.applied ? lockfile.applied->name : std::string();
  for (const auto& volume : stray_volumes(stack, lockfile, observed)) {
    plan.warnings.push_back(fmt::format(
        "volume {} ({} GiB) carries the stack's tag, but the lockfile does not know it: it is left "
        "alone with the tag and goes on costing money",
        volume.name, volume.size_gigabytes));
  }
  for (const auto& [ip, droplet] : stray_addresses(lockfile, observed)) {
    plan.warnings.push_back(fmt::format(
        "reserved IP {} is on droplet {}, but the lockfile does not know it: it is left alone and "
        "goes on costing money",
        ip, droplet));
  }
}

/// Volumes go after the tags: with the last of them the lockfile may know nothing any more that
/// would lead to a tag.
void handle_volumes(Plan& plan, const observe::Observed& observed, Volumes volumes,
                    const std::vector<std::string>& after) {
  for (const auto& [name, volume] : plan.lockfile.volumes) {
    if (volumes == Volumes::keep) {
      // Billed is what there is, also where somebody else made it larger.
      const auto seen = observed.volumes.find(name);
      plan.warnings.push_back(fmt::format(
          "volume {} ({} GiB) is kept with its data and goes on costing money", name,
          seen == observed.volumes.end() ? volume.size_gigabytes : seen->second.size_gigabytes));
      continue;
    }
    auto& step =
        add(plan, StepKind::delete_volume, name, "volumes are to be destroyed as well", after);
    step.subject = name;
    step.service = volume.service;
  }
}

}  // namespace

Plan make_down(const lockfile::Lockfile& lockfile, const observe::Observed& observed,
               Volumes volumes) {
  Plan plan;
  plan.lockfile = lockfile;
  const std::string cause = "the stack is taken down";
  const auto removed = remove_servers(plan, observed, cause);
  auto before_volumes = removed;
  if (lockfile.applied) before_volumes.push_back("delete_tags/" + lockfile.applied->name);
  handle_volumes(plan, observed, volumes, before_volumes);
  note_kept(plan, lockfile, observed);
  std::vector<std::string> before_tags = removed;
  for (const auto& [service, firewall] : lockfile.firewalls) {
    auto& step = add(plan, StepKind::delete_firewall, service, cause, removed);
    step.service = service;
    step.subject = firewall.name;
    before_tags.push_back(step.id);
  }
  for (const auto& ip : take_addresses(plan.lockfile, observed)) {
    add(plan, StepKind::release_address, ip, cause, removed).subject = ip;
  }
  if (auto release = release_in_doubt(plan.lockfile)) {
    release->after = removed;
    plan.steps.push_back(std::move(*release));
  }
  // Tags are not written down. The key goes after them: while it is there, so may they be. Volumes
  // that are kept have the stack's.
  const bool frees_volumes = volumes == Volumes::destroy && !lockfile.volumes.empty();
  if (lockfile.applied && (!before_tags.empty() || lockfile.ssh_key || frees_volumes)) {
    add(plan, StepKind::delete_tags, lockfile.applied->name, cause, before_tags).subject =
        lockfile.applied->name;
  }
  if (lockfile.vpc) {
    add(plan, StepKind::delete_vpc, lockfile.vpc->name, cause, removed).subject =
        lockfile.vpc->name;
  }
  if (lockfile.ssh_key) {
    auto before_key = removed;
    if (lockfile.applied) before_key.push_back("delete_tags/" + lockfile.applied->name);
    add(plan, StepKind::delete_key, lockfile.ssh_key->key.name, cause, before_key).subject =
        lockfile.ssh_key->key.name;
  }
  plan.steps = ordered(std::move(plan.steps));
  plan.losses = data_losses(plan.steps, lockfile);
  return plan;
}

}  // namespace paas::plan
