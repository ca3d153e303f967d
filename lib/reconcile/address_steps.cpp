// Steps on the load balancer's public address, a reserved IP.
#include <fmt/format.h>

#include <algorithm>

#include "digitalocean/errors.hpp"
#include "reconcile/run.hpp"

namespace paas::reconcile {

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

/// Empty when it has none.
Result<std::string> Run::listed_address(const std::string& droplet) {
  PAAS_TRY(const auto ips, tools_.client.reserved_ips());
  for (const auto& candidate : ips) {
    if (std::to_string(candidate.droplet_id) == droplet) return candidate.ip;
  }
  return std::string();
}

/// The address of the droplet: the one that an interrupted run asked for, or a new one. Error
/// (exists) when it has one that nobody asked for: a droplet has room for one only.
Result<std::string> Run::reserve_address(const std::string& name) {
  const auto id = server(name).droplet.id;
  const bool intended = state_.read().lb->intended_for == id;
  PAAS_TRY(const auto there, listed_address(id));
  if (!there.empty() && intended) return there;
  if (!there.empty()) {
    return fail(
        ErrorKind::exists,
        fmt::format("droplet {} has reserved IP {}, which this stack did not reserve", name, there),
        "nothing was done with it: unassign it there, so that the stack gets its own");
  }
  PAAS_CHECK(state_.change([&](auto& next) { next.lb->intended_for = id; }));
  auto made = tools_.client.create_reserved_ip(std::stoll(id));
  if (made) return made->ip;
  if (!digitalocean::is_refusal(made.error())) return fail(made.error());
  if (!intended) PAAS_CHECK(write_address(""));
  if (!intended || digitalocean::is_pending_event(made.error())) return fail(made.error());
  // It may have come about between the look and the request, which is refused then.
  PAAS_TRY(auto late, listed_address(id));
  if (late.empty()) return fail(made.error());
  return late;
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

}  // namespace paas::reconcile
