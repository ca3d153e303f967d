// Plans volumes: which are made or taken over, which grow, and the tag that each has to have.
#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "plan/planner.hpp"

namespace paas::plan {

/// With the lockfile lost, only its tag tells whose a volume is.
void Planner::plan_volume_tag(const stack::Service& service, const digitalocean::Volume& volume) {
  const bool is_tagged = lockfile::belongs(volume.tags, stack_.name, lockfile::Intent::none);
  const bool is_free = lockfile::belongs(volume.tags, stack_.name, lockfile::Intent::written);
  if (is_tagged || !is_free) return;
  const auto tag = lockfile::stack_tag(stack_.name);
  auto& step = add(StepKind::tag_volume, volume.name, drift("it lacks " + tag));
  step.service = service.name;
  step.subject = volume.name;
}

Status Planner::plan_volume(const stack::Service& service) {
  if (!service.volume) return {};
  const auto name = lockfile::volume_name(stack_.name, service.name);
  const auto made = lock_.volumes.find(name);
  const auto found = input_.observed.volumes.find(name);
  const int wanted = service.volume->size_gigabytes;
  if (found == input_.observed.volumes.end()) {
    const bool known = made != lock_.volumes.end() && !made->second.volume.id.empty();
    auto& step = add(StepKind::create_volume, name,
                     known ? drift("it was deleted behind its back; its data is gone")
                           : change(fmt::format("{} keeps its data on it", service.name)));
    step.service = service.name;
    step.subject = name;
    step.detail = fmt::format("{} GiB in {}", wanted, stack_.region);
    return {};
  }
  if (made == lock_.volumes.end() || made->second.volume.id != found->second.id) {
    const bool intended = made != lock_.volumes.end() && made->second.volume.id.empty();
    const auto intent = intended ? lockfile::Intent::written : lockfile::Intent::none;
    if (!lockfile::belongs(found->second.tags, stack_.name, intent)) {
      return lockfile::foreign_volume(name, found->second.tags, stack_.name);
    }
    auto& step =
        add(StepKind::create_volume, name, unfinished("an earlier run made it and did not finish"));
    step.service = service.name;
    step.subject = name;
    step.detail = fmt::format("{} GiB in {}", wanted, stack_.region);
  } else {
    plan_volume_tag(service, found->second);
  }
  const int actual = found->second.size_gigabytes;
  if (wanted < actual) {
    return fail(
        ErrorKind::invalid,
        fmt::format("services.{}.volume.size: {} GiB is less than the {} GiB that volume {} "
                    "has, and a volume cannot shrink",
                    service.name, wanted, actual, name),
        fmt::format("write size: {}GiB", actual));
  }
  // The lockfile's size is that of the file system, which grows after the volume.
  const int grown = made == lock_.volumes.end() ? actual : made->second.size_gigabytes;
  if (std::min(grown, actual) < wanted) {
    auto& step =
        add(StepKind::resize_volume, name,
            wanted > actual
                ? change(fmt::format("its size is {} GiB, the stack says {} GiB", actual, wanted))
                : unfinished(fmt::format("an earlier run left its file system at {} GiB", grown)),
            {"create_volume/" + name});
    step.service = service.name;
    step.subject = name;
    step.detail = fmt::format("{} GiB", wanted);
    // The file system grows on the server that has it.
    for (const auto& [server, entry] : lock_.servers) {
      if (entry.service == service.name) step.after.push_back("power_on_server/" + server);
    }
  }
  return {};
}

}  // namespace paas::plan
