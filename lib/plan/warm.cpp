// Plans servers that are kept warm beside those that serve: which of them are taken, and what they
// are given. No program runs on them: a worker would take tasks, and a web service's container has
// the environment of the day it was made, with passwords. All that takes time before a container
// can be made is done ahead.
#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "plan/planner.hpp"
#include "plan/wanted.hpp"

namespace paas::plan {

/// The kinds of work that are left before it can serve, in the order of how long they take; nothing
/// where it does not answer, and nobody knows.
std::optional<int> Planner::work_left_on(const std::string& name) const {
  constexpr int only_its_container = 0;
  constexpr int to_boot = 1;
  constexpr int to_be_made = 2;
  const auto& server = lock_.servers.at(name);
  const auto* found = seen(name);
  if (found == nullptr || !server.prepared) return to_be_made;
  if (found->droplet.status == "off") return to_boot;
  if (!found->unreachable.empty()) return std::nullopt;
  return only_its_container;
}

/// The soonest to serve first; those that do not answer last.
void Planner::sort_by_work(std::vector<std::string>& warm) const {
  const auto rank = [&](const std::string& name) {
    constexpr int unknown = 9;
    return std::pair(work_left_on(name).value_or(unknown), lock_.servers.at(name).number);
  };
  std::sort(warm.begin(), warm.end(),
            [&](const auto& left, const auto& right) { return rank(left) < rank(right); });
}

/// Has a server serve that was kept warm, if there is one that answers: its name, or nothing. That
/// it serves is written down before anything is done on it.
std::optional<std::string> Planner::take_warm(std::vector<std::string>& warm, Cause cause) {
  sort_by_work(warm);
  if (warm.empty() || !work_left_on(warm.front())) return std::nullopt;
  auto name = warm.front();
  warm.erase(warm.begin());
  lock_.servers.at(name).warm = false;
  cause.text += "; it was kept warm";
  taken_[name] = std::move(cause);
  return name;
}

void Planner::plan_warm_servers(const std::string& service, Staff warm) {
  const auto* declared = stack::find_service(stack_, service);
  const auto wanted =
      static_cast<std::size_t>(declared == nullptr ? 0 : std::max(0, declared->scale.warm));
  sort_by_work(warm.names);
  while (warm.names.size() > wanted) {
    lock_.servers.at(warm.names.back()).leaving = true;
    departures_[warm.names.back()] = change(
        fmt::format("{} shall keep {} of {} servers warm", service, wanted, warm.names.size()));
    warm.names.pop_back();
  }
  for (const auto& name : warm.names) plan_existing_server(name);
  const auto had = warm.names.size();
  for (auto count = had; count < wanted; ++count) {
    const auto index = count - had;
    plan_new_server(service,
                    index < warm.causes.size()
                        ? warm.causes[index]
                        : change(fmt::format("{} shall keep {} server{} warm, has {}", service,
                                             wanted, wanted == 1 ? "" : "s", had)),
                    Use::warm);
  }
}

/// A server that takes the place of a warm one can wait until that one serves.
std::vector<std::string> Planner::steps_of_taken(const std::string& service) const {
  std::vector<std::string> steps;
  for (const auto& [name, cause] : taken_) {
    if (lock_.servers.at(name).service != service) continue;
    steps.push_back("start_container/" + name);
    steps.push_back("add_to_rotation/" + name);
  }
  return steps;
}

/// Its firewall has to be seen to apply to it again.
void Planner::expect_firewall(const std::string& service) {
  for (auto& [name, server] : lock_.servers) {
    if (server.service == service) server.firewalled = false;
  }
}

void Planner::plan_warm(const stack::Service& service) {
  for (const auto& placed : warm_[service.name]) {
    if (!placed.created && !placed.looked_at) continue;
    const bool is_whole = lock_.servers.at(placed.name).firewalled;
    const auto* image = image_of(service);
    const auto* release = current_release(lock_, service.name);
    const bool is_same = image != nullptr && release != nullptr && image->digest &&
                         *image->digest == release->image_digest;
    const auto reason = placed.created         ? placed.reason
                        : is_whole && !is_same ? Reason::change
                        : is_whole             ? Reason::drift
                                               : Reason::unfinished;
    if (auto* send = plan_image(service, placed, reason)) {
      // Those that serve come first.
      for (const auto& other : placed_.at(service.name)) {
        send->after.push_back("send_image/" + other.name);
      }
    }
    if (is_whole) continue;
    auto& keep = add(
        StepKind::keep_warm, placed.name,
        Cause{reason, "a container that comes later shall wait for nothing"},
        {"prepare_server/" + placed.name, "send_image/" + placed.name, "tag_server/" + placed.name,
         "create_firewall/" + service.name, "update_firewall/" + service.name});
    keep.service = service.name;
    keep.server = placed.name;
  }
}

}  // namespace paas::plan
