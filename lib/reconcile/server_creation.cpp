// Creating droplets: those of servers that are alike with one request, each found again by its
// name.
#include <fmt/format.h>

#include <algorithm>

#include "digitalocean/errors.hpp"
#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "observe/observe.hpp"
#include "plan/firewall.hpp"
#include "reconcile/run.hpp"
#include "ssh/keys.hpp"
#include "ssh/user_data.hpp"

namespace paas::reconcile {

using digitalocean::Droplet;

/// Looks for droplets of the stack by their names through a window of time: one that was just
/// accepted may not be listed yet. Names are not unique: one of somebody else's is never taken for
/// it. The exact question by name costs a request each, so that in between one list serves several.
Result<std::map<std::string, Droplet>> Run::find_droplets(const std::vector<std::string>& names,
                                                          std::chrono::milliseconds window) {
  const auto deadline = tools_.clock.monotonic() + window;
  std::map<std::string, Droplet> found;
  const auto lockfile = state_.read();
  const auto add = [&](const std::vector<Droplet>& listed) {
    for (const auto& droplet : listed) {
      if (std::find(names.begin(), names.end(), droplet.name) == names.end()) continue;
      if (observe::is_ours(droplet, lockfile, stack_.name)) found.emplace(droplet.name, droplet);
    }
  };
  for (bool is_first = true;; is_first = false) {
    const bool is_last = tools_.clock.monotonic() >= deadline;
    if (names.size() > 1) {
      PAAS_TRY(const auto tagged, tools_.client.droplets_by_tag(lockfile::stack_tag(stack_.name)));
      add(tagged);
    }
    for (const auto& name : names) {
      const bool is_asked = names.size() == 1 || is_first || is_last;
      if (!is_asked || found.contains(name)) continue;
      PAAS_TRY(const auto named, tools_.client.droplets_by_name(name));
      add(named);
    }
    if (is_last || found.size() == names.size()) return found;
    PAAS_CHECK(tools_.clock.wait(options_.timeouts.poll * 4));
  }
}

Result<std::optional<Droplet>> Run::find_droplet(const std::string& name,
                                                 std::chrono::milliseconds window) {
  PAAS_TRY(auto found, find_droplets({name}, window));
  if (found.empty()) return std::nullopt;
  return std::move(found.begin()->second);
}

/// The first host key is written down before anything is created with it. Servers of one request
/// have one user data and so one first host key: they rotate it at their first contact.
Status Run::ensure_first_host_key(const std::vector<std::string>& names) {
  const auto has_key = [&](const std::string& name) {
    return !server(name).first_host_key.empty();
  };
  if (std::all_of(names.begin(), names.end(), has_key)) return {};
  PAAS_TRY(auto pair, ssh::generate_key(tools_.processes, tools_.files, tools_.scratch, ""));
  const auto end = pair.public_key.find(' ', pair.public_key.find(' ') + 1);
  return state_.change([&](auto& next) {
    for (const auto& name : names) {
      auto& changed = next.servers.at(name);
      changed.first_host_key = pair.private_key;
      changed.host_key = pair.public_key.substr(0, end);
    }
  });
}

digitalocean::DropletRequest Run::droplet_request(const std::string& name) {
  const auto entry = server(name);
  const auto lockfile = state_.read();
  digitalocean::DropletRequest request;
  request.name = name;
  request.region = entry.region;
  request.size = entry.size;
  request.image = entry.image;
  request.ssh_keys = {std::stoll(lockfile.ssh_key->key.id)};
  request.tags = plan::tags_of(stack_, entry.service);
  request.vpc_id = lockfile.vpc->id;
  ssh::UserData data;
  data.host_private_key = entry.first_host_key;
  data.host_public_key = entry.host_key;
  data.balancer = entry.service == "lb";
  // A load balancer that is there already gets it with its first certificate.
  data.acme = data.balancer && !stack::acme_directory(stack_).empty();
  request.user_data = ssh::user_data(data);
  return request;
}

bool Run::are_alike(const std::string& left, const std::string& right) const {
  const auto a = server(left);
  const auto b = server(right);
  return a.service == b.service && a.region == b.region && a.size == b.size && a.image == b.image &&
         a.first_host_key == b.first_host_key && a.host_key == b.host_key;
}

/// Identifiers of all of them are stored at once, right after the answer that told them.
Status Run::accept(const std::map<std::string, Droplet>& droplets, const std::string& how) {
  if (droplets.empty()) return {};
  PAAS_CHECK(state_.change([&](auto& next) {
    for (const auto& [name, droplet] : droplets) {
      auto& entry = next.servers.at(name);
      entry.droplet = {name, std::to_string(droplet.id)};
      entry.created = droplet.created_at;
    }
  }));
  const std::scoped_lock lock(requested_mutex_);
  for (const auto& [name, droplet] : droplets) requested_[name] = Requested{droplet.id, how, {}};
  return {};
}

/// One POST for all of them. Its answer may lack some.
Result<std::map<std::string, Droplet>> Run::post_droplets(const std::vector<std::string>& names) {
  const auto request = droplet_request(names.front());
  std::map<std::string, Droplet> made;
  if (names.size() == 1) {
    PAAS_TRY(auto droplet, tools_.client.create_droplet(request));
    made.emplace(names.front(), std::move(droplet));
  } else {
    PAAS_TRY(auto droplets, tools_.client.create_droplets(request, names));
    for (auto& droplet : droplets) made.emplace(droplet.name, std::move(droplet));
  }
  return made;
}

Status Run::adopt_droplets(const std::vector<std::string>& names, const std::string& how) {
  if (names.empty()) return {};
  PAAS_TRY(const auto found, find_droplets(names, options_.timeouts.grace));
  return accept(found, how);
}

std::vector<std::string> Run::unsettled(std::vector<std::string> names) const {
  std::erase_if(names, [&](const std::string& name) { return is_requested(name); });
  return names;
}

/// Those that were accepted before are the ones that were seen when this run looked.
void Run::resume(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto id = server(name).droplet.id;
    if (id.empty()) continue;
    const std::scoped_lock lock(requested_mutex_);
    requested_[name] = Requested{std::stoll(id), "found again", {}};
  }
}

/// What an earlier run wrote down and was refused cannot be there. Where it is all the same, its
/// first host key is not known, a second droplet of the name would be paid for as well, and nobody
/// agreed to lose what is on it.
Status Run::check_unseen(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  PAAS_TRY(const auto listed,
           names.size() == 1 ? tools_.client.droplets_by_name(names.front())
                             : tools_.client.droplets_by_tag(lockfile::stack_tag(stack_.name)));
  const auto lockfile = state_.read();
  for (const auto& droplet : listed) {
    if (std::find(names.begin(), names.end(), droplet.name) == names.end()) continue;
    const bool is_tagged = lockfile::belongs(droplet.tags, stack_.name, lockfile::Intent::none);
    if (!is_tagged || !observe::is_ours(droplet, lockfile, stack_.name)) continue;
    return fail(ErrorKind::exists,
                fmt::format("droplet {} ({}) is there, and the lockfile does not know that it was "
                            "asked for",
                            droplet.name, droplet.id),
                "nothing was done: an older lockfile may have come back, so put the newest one "
                "back; if it is lost, `paasctl state accept` goes on from this one, and `paasctl "
                "state rebuild --force` makes one from what is there");
  }
  return {};
}

/// What was refused was certainly not made, and no run has to look for it.
Status Run::withdraw(const std::vector<std::string>& names) {
  return state_.change([&](auto& next) {
    for (const auto& name : names) {
      next.servers.at(name).first_host_key = Secret();
      next.servers.at(name).host_key.clear();
    }
  });
}

/// A POST whose answer got lost, or told of fewer droplets than were asked for, may have made them
/// all the same: they are looked for by their names, which were never used before, and only those
/// that are not found are asked for again, once.
Status Run::request_droplets(const plan::Step& first, const std::vector<std::string>& names) {
  resume(names);
  auto known = unsettled(names);
  std::erase_if(known, [&](const auto& name) { return !known_before_.contains(name); });
  const auto asked_for = std::stable_partition(known.begin(), known.end(), [&](const auto& name) {
    return !lockfile::is_asked_for(server(name));
  });
  PAAS_CHECK(check_unseen({known.begin(), asked_for}));
  PAAS_CHECK(adopt_droplets({asked_for, known.end()}, "found again"));
  auto open = unsettled(names);
  if (open.empty()) return {};
  // Those that are alike have one host key, or none.
  const bool is_first = !lockfile::is_asked_for(server(open.front()));
  PAAS_CHECK(ensure_first_host_key(open));
  const auto posted = post_droplets(open);
  if (!posted && is_first && digitalocean::is_refusal(posted.error())) {
    PAAS_CHECK(withdraw(open));
  }
  if (!posted && posted.error().kind != ErrorKind::unreachable) return fail(posted.error());
  if (posted) PAAS_CHECK(accept(*posted, "accepted"));
  open = unsettled(std::move(open));
  if (open.empty()) return {};
  stage(first, posted ? fmt::format("the answer lacks {}, looking", fmt::join(open, ", "))
                      : "no answer, looking for it");
  PAAS_CHECK(adopt_droplets(open, "accepted"));
  open = unsettled(std::move(open));
  if (open.empty()) return {};
  PAAS_TRY(const auto repeated, post_droplets(open));
  PAAS_CHECK(accept(repeated, "accepted"));
  open = unsettled(std::move(open));
  if (open.empty()) return {};
  return fail(ErrorKind::unreachable,
              fmt::format("the API's answer lacks {}; whether they were made is unknown",
                          fmt::join(open, ", ")),
              "run it again: droplets are looked for by their names first");
}

Status Run::request_servers(const std::vector<plan::Step>& steps) {
  std::vector<std::string> names;
  for (const auto& step : steps) names.push_back(step.server);
  const auto requested = request_droplets(steps.front(), names);
  if (requested) return {};
  const auto open = unsettled(std::move(names));
  const std::scoped_lock lock(requested_mutex_);
  for (const auto& name : open) requested_[name] = Requested{0, "", requested.error()};
  return requested;
}

bool Run::is_requested(const std::string& server) const {
  const std::scoped_lock lock(requested_mutex_);
  return requested_.contains(server);
}

namespace {

bool is_listed(const std::vector<Droplet>& droplets, std::int64_t id) {
  return std::any_of(droplets.begin(), droplets.end(),
                     [&](const auto& droplet) { return droplet.id == id; });
}

/// It has started and has its addresses.
bool is_ready(const Droplet& droplet) {
  return droplet.status == "active" && !droplet.public_address.empty() &&
         !droplet.private_address.empty();
}

/// Tags apply late: until then it is not in the list.
std::optional<Droplet> find_active(const std::vector<Droplet>& droplets, std::int64_t id) {
  const auto listed = std::find_if(droplets.begin(), droplets.end(), [&](const auto& droplet) {
    return droplet.id == id && is_ready(droplet);
  });
  return listed == droplets.end() ? std::nullopt : std::optional(*listed);
}

}  // namespace

/// A droplet may be unknown for a while after it was accepted. One that no list shows and that is
/// not found by its identifier either, long after, is gone: its creation failed. One that is found
/// and active has lost its tags.
Result<std::optional<Droplet>> Run::find_unlisted(const plan::Step& step, std::int64_t id) {
  auto droplet = tools_.client.droplet(id);
  if (droplet) return is_ready(*droplet) ? std::optional(std::move(*droplet)) : std::nullopt;
  if (droplet.error().kind != ErrorKind::not_found) return std::nullopt;
  return fail(ErrorKind::failed,
              fmt::format("droplet {} of {} was accepted and is gone: the provider could not "
                          "create it",
                          id, step.server),
              "run `paasctl up` again: it creates another one");
}

/// One that an older list shows as active has started, so that a list serves all that it found.
Status Run::await_active(const plan::Step& step, std::int64_t id) {
  auto next_check = tools_.clock.monotonic() + options_.timeouts.accepted;
  return poll(options_.timeouts.active, "starting " + step.server, [&]() -> Result<bool> {
    auto droplets = droplets_.latest();
    auto active = droplets ? find_active(*droplets, id) : std::nullopt;
    if (!active) {
      PAAS_TRY(droplets, droplets_.items());
      active = find_active(*droplets, id);
    }
    if (!active && tools_.clock.monotonic() >= next_check && !is_listed(*droplets, id)) {
      PAAS_TRY(active, find_unlisted(step, id));
      next_check = tools_.clock.monotonic() + options_.timeouts.accepted;
    }
    if (!active) return false;
    PAAS_CHECK(state_.change([&](auto& next) {
      auto& entry = next.servers.at(step.server);
      entry.public_address = active->public_address;
      entry.private_address = active->private_address;
    }));
    return true;
  });
}

/// Its droplet was asked for before, together with others: see request_servers.
Status Run::create_server(const plan::Step& step) {
  Requested requested;
  {
    const std::scoped_lock lock(requested_mutex_);
    requested = requested_.at(step.server);
  }
  if (requested.error) return fail(std::move(*requested.error));
  stage(step, requested.how);
  PAAS_CHECK(await_active(step, requested.droplet));
  stage(step, "active");
  return {};
}

}  // namespace paas::reconcile
