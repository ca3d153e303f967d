// Plans the rotation of passwords: the service takes the new one, dependents are given it, and then
// the one before is made to fail.
#include "plan/passwords.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "lockfile/passwords.hpp"
#include "plan/environment.hpp"
#include "plan/planner.hpp"
#include "plan/releases.hpp"

namespace paas::plan {

namespace {

using lockfile::RotationState;

/// Whether a value can have come from a template, whatever its placeholders stood for.
bool fits(const std::string& pattern, const std::string& value) {
  const std::string gap(1, '\0');
  const auto parts = text::split(
      stack::expand(pattern, {{"user", gap}, {"password", gap}, {"database", gap}}), '\0');
  if (!value.starts_with(parts.front()) || !value.ends_with(parts.back())) return false;
  std::size_t at = 0;
  for (const auto& part : parts) {
    at = value.find(part, at);
    if (at == std::string::npos) return false;
    at += part.size();
  }
  return true;
}

bool has_placeholder(const std::string& pattern, const std::string& name) {
  const auto names = stack::placeholders(pattern).names;
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool links_to(const stack::Stack& stack, const std::string& from, const std::string& to) {
  const auto* service = stack::find_service(stack, from);
  return service != nullptr && std::any_of(service->links.begin(), service->links.end(),
                                           [&](const stack::Link& link) { return link.to == to; });
}

}  // namespace

Status check_rotatable(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                       const std::string& name) {
  const auto* service = stack::find_service(stack, name);
  if (service == nullptr || !service->credentials) {
    return fail(ErrorKind::usage, fmt::format("{} has no password", name),
                "services of type db and cache with credentials have one");
  }
  const auto entry = lockfile.services.find(name);
  if (entry != lockfile.services.end() && entry->second.rotation) return {};
  if (service->credentials->set.empty()) {
    return fail(ErrorKind::invalid,
                fmt::format("the stack file has no credentials.set for {}", name),
                "name the program in its container that reads a new password from standard "
                "input, such as set: [/usr/local/bin/set-password]");
  }
  const auto* server = serving(lockfile, name);
  if (server == nullptr || server->release == 0) {
    return fail(ErrorKind::failed, fmt::format("{} does not run: nothing was changed", name),
                "`paasctl up` starts it, with a password of its own");
  }
  return {};
}

/// A user that has the password must go on being one of those that the stack file names: which one
/// the data takes would be forgotten else.
Status Planner::check_users() const {
  for (const auto& service : stack_.services) {
    if (!service.credentials) continue;
    const auto& entry = lock_.services.at(service.name);
    for (const auto& user : {entry.user, entry.rotation ? entry.rotation->user : ""}) {
      if (user.empty() || user == service.credentials->user ||
          user == service.credentials->other_user) {
        continue;
      }
      return fail(ErrorKind::invalid,
                  fmt::format("the password of {} is {}'s, and the stack file does not name that "
                              "user any more",
                              service.name, user),
                  fmt::format("keep {} among credentials.user of {}; `paasctl secret rotate {}` "
                              "gives the other one its turn",
                              user, service.name, service.name));
    }
  }
  return {};
}

Status Planner::begin_password_rotation(const std::string& name) {
  PAAS_CHECK(check_rotatable(stack_, lock_, name));
  auto& entry = lock_.services.at(name);
  if (entry.rotation) return {};
  const auto* service = stack::find_service(stack_, name);
  const auto* server = serving(lock_, name);
  const auto* inside = machine(server->droplet.name);
  if (inside == nullptr) {
    const auto* found = seen(server->droplet.name);
    const bool is_told = found != nullptr && !found->unreachable.empty();
    return fail(
        ErrorKind::unreachable,
        fmt::format("{} cannot be looked at, and nothing was changed: {}", server->droplet.name,
                    is_told ? found->unreachable : std::string("it was not found")),
        "a password is rotated while its service runs");
  }
  const bool runs =
      std::any_of(inside->containers.begin(), inside->containers.end(), [&](const auto& container) {
        return container.service == name && container.release == server->release &&
               container.state == "running";
      });
  if (!runs) {
    return fail(ErrorKind::failed, fmt::format("{} does not run: nothing was changed", name),
                "`paasctl up` starts it again");
  }
  if (service->credentials->retire.empty()) {
    // What sets the new one is all there is: as a rule the old one fails with it.
    warnings_.push_back(fmt::format(
        "{} has no credentials.retire: its dependents may be refused from the moment it "
        "takes the new password until they have it",
        name));
  }
  entry.rotation = lockfile::PasswordRotation{RotationState::pending, Secret(),
                                              lockfile::next_user(*service->credentials, entry)};
  return {};
}

/// The lockfile names no user before a first rotation: it is the first that the stack file named
/// when it was applied. Where two take turns now, it keeps its password in whatever place it is.
void Planner::keep_first_users() {
  if (!input_.lockfile.applied) return;
  for (const auto& service : stack_.services) {
    const auto* applied = stack::find_service(*input_.lockfile.applied, service.name);
    if (applied == nullptr || !applied->credentials || !service.credentials) continue;
    auto& entry = lock_.services.at(service.name);
    const auto& first = applied->credentials->user;
    if (service.credentials->other_user.empty() || first == service.credentials->user) continue;
    if (entry.user.empty() && !entry.password.empty()) entry.user = first;
  }
}

Status Planner::begin_password_rotations() {
  keep_first_users();
  PAAS_CHECK(check_users());
  for (const auto& [name, cause] : input_.rotate) PAAS_CHECK(begin_password_rotation(name));
  return {};
}

bool Planner::is_rotated(const std::string& service) const {
  const auto entry = ahead().services.find(service);
  return entry != ahead().services.end() && entry->second.rotation &&
         entry->second.rotation->state != RotationState::pending;
}

Cause Planner::rotation_cause(const std::string& service, const std::string& text) const {
  const auto before = input_.lockfile.services.find(service);
  const bool is_new = before == input_.lockfile.services.end() || !before->second.rotation;
  return is_new ? request(text) : unfinished(text);
}

/// Why variables change, when all of them come with passwords that are rotated; else empty.
Cause Planner::rotated_passwords(const stack::Service& service,
                                 std::vector<std::string> names) const {
  std::vector<std::string> rotated;
  for (const auto& link : service.links) {
    if (!is_rotated(link.to)) continue;
    const auto given = link_variables(stack_, ahead(), link);
    const auto explained = std::erase_if(names, [&](const std::string& name) {
      return given.values.contains(name) || given.unknown.contains(name);
    });
    if (explained > 0) rotated.push_back(link.to);
  }
  if (!names.empty() || rotated.empty()) return {};
  return rotation_cause(
      rotated.front(),
      fmt::format("the password{} of {} {} rotated", rotated.size() == 1 ? "" : "s",
                  fmt::join(rotated, " and "), rotated.size() == 1 ? "is" : "are"));
}

void Planner::plan_set_password(const stack::Service& service, const std::string& server,
                                const Cause& cause) {
  if (service.credentials->set.empty()) return;
  auto& step =
      add(StepKind::set_password, service.name, cause,
          {"start_container/" + server, "attach_volume/" + server, "prepare_server/" + server});
  step.service = service.name;
  step.server = server;
  step.subject = service.name;
}

/// Dependents start after these steps, and get what is set then: they are compared with that.
void Planner::plan_new_passwords() {
  std::vector<std::string> set_now;
  for (const auto& service : stack_.services) {
    auto& entry = lock_.services.at(service.name);
    if (!service.credentials || !entry.rotation) continue;
    if (entry.rotation->state != RotationState::pending) continue;
    if (service.credentials->set.empty()) {
      // Nobody can tell the data: what was lost with a lockfile is believed to be what is made now.
      if (entry.password.empty()) {
        entry.password = std::move(entry.rotation->password);
        entry.rotation.reset();
      } else {
        warnings_.push_back(fmt::format(
            "the rotation of {}'s password waits: the stack file has no credentials.set for it",
            service.name));
      }
      continue;
    }
    const auto& placed = placed_.at(service.name).front();
    if (!placed.created && !placed.looked_at) {
      if (has_step("power_on_server/" + placed.name)) continue;
      warnings_.push_back(fmt::format("the rotation of {}'s password waits: {} does not answer",
                                      service.name, placed.name));
      continue;
    }
    const auto asked = input_.rotate.find(service.name);
    const std::string text =
        asked != input_.rotate.end() ? asked->second : "its rotation is unfinished";
    plan_set_password(service, placed.name, rotation_cause(service.name, text));
    set_now.push_back(service.name);
  }
  if (set_now.empty()) return;
  ahead_ = lock_;
  for (const auto& name : set_now) ahead_->services.at(name).rotation->state = RotationState::set;
}

/// Whether a variable of the service's own container has to stay as it was made: what a password
/// became since then the service was told by the `set` program.
bool Planner::is_kept_in_container(const stack::Service& service, const std::string& variable,
                                   const std::string& value) const {
  if (!service.credentials) return false;
  const auto& entry = ahead().services.at(service.name);
  if (!entry.rotation && entry.password_rotated.empty()) return false;
  const auto declared = service.credentials->env.find(variable);
  if (declared == service.credentials->env.end()) return false;
  const auto& pattern = declared->second;
  const bool changes =
      has_placeholder(pattern, "password") ||
      (has_placeholder(pattern, "user") && !service.credentials->other_user.empty());
  return changes && fits(pattern, value);
}

/// Whether a variable has a password that its service cannot be told now. The one that the
/// container has may work, so it is left alone.
bool Planner::is_waiting_for_password(const stack::Service& service,
                                      const std::string& variable) const {
  return std::any_of(service.links.begin(), service.links.end(), [&](const stack::Link& link) {
    const auto entry = ahead().services.find(link.to);
    // One that is set by this plan is made when it is carried out.
    return entry != ahead().services.end() && entry->second.rotation &&
           entry->second.rotation->state == RotationState::pending &&
           lockfile::login_of_dependents(entry->second).password.empty() &&
           link_variables(stack_, ahead(), link).unknown.contains(variable);
  });
}

/// What takes the old password away from all that may have it.
std::vector<std::string> Planner::steps_before_retiring(const stack::Service& service) const {
  std::vector<std::string> after = {"set_password/" + service.name};
  const auto depends = [&](const std::string& name) {
    // One that is unlinked by this very plan has it until its new container runs.
    return links_to(stack_, name, service.name) ||
           (input_.lockfile.applied && links_to(*input_.lockfile.applied, name, service.name));
  };
  for (const auto& [name, server] : lock_.servers) {
    const bool leaves = departures_.contains(name);
    if (!leaves && !depends(server.service) && server.service != service.name) continue;
    for (const auto* kind : {"start_container/", "add_to_rotation/", "retire_container/",
                             "delete_server/", "forget_server/"}) {
      after.push_back(kind + name);
    }
  }
  return after;
}

/// Servers that may have the old password when this plan is done: those that do not answer, and
/// those where an older container stays.
Planner::Holders Planner::holders_of_old_password(const stack::Service& service) const {
  Holders holders;
  const auto& own = placed_.at(service.name).front();
  if (!own.created && !own.looked_at) holders.silent.push_back(own.name);
  if (ahead().services.at(service.name).rotation->state == RotationState::pushed) return holders;
  for (const auto& other : stack_.services) {
    if (!links_to(stack_, other.name, service.name)) continue;
    for (const auto& placed : placed_.at(other.name)) {
      if (placed.created) continue;
      if (!placed.looked_at) {
        holders.silent.push_back(placed.name);
      } else if (keeps_older_container(other, placed)) {
        holders.older.push_back(placed.name);
      }
    }
  }
  return holders;
}

/// Whether a container that another one took the place of runs on: it is not retired while nobody
/// knows whether HAProxy sends it requests.
bool Planner::keeps_older_container(const stack::Service& service, const Placed& placed) const {
  if (has_step("retire_container/" + placed.name)) return false;
  const auto& containers = machine(placed.name)->containers;
  const auto* current = current_container(*machine(placed.name), lock_.servers.at(placed.name));
  return std::any_of(containers.begin(), containers.end(), [&](const auto& container) {
    return container.service == service.name && &container != current &&
           container.state == "running";
  });
}

void Planner::plan_retire_password(const stack::Service& service) {
  const auto [silent, older] = holders_of_old_password(service);
  // Those that are powered on by this plan are looked at by the next one.
  const bool woken = std::any_of(silent.begin(), silent.end(), [&](const std::string& name) {
    return has_step("power_on_server/" + name);
  });
  if (woken) return;
  const auto goes_on = fmt::format("the old password of {} goes on working: ", service.name);
  if (!silent.empty()) {
    warnings_.push_back(fmt::format("{}{} {} not answer", goes_on, fmt::join(silent, ", "),
                                    silent.size() == 1 ? "does" : "do"));
  }
  if (!older.empty()) {
    warnings_.push_back(
        fmt::format("{}an older container runs on {}", goes_on, fmt::join(older, ", ")));
  }
  if (!silent.empty() || !older.empty()) return;
  auto& step = add(StepKind::retire_password, service.name,
                   rotation_cause(service.name, "all that link to it have the new one then"),
                   steps_before_retiring(service));
  step.service = service.name;
  step.server = placed_.at(service.name).front().name;
  step.subject = service.name;
}

void Planner::plan_old_passwords() {
  for (const auto& service : stack_.services) {
    if (service.credentials && is_rotated(service.name)) plan_retire_password(service);
  }
}

}  // namespace paas::plan
