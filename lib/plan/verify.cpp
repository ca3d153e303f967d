// The findings of `state verify`: what exists at all, then what a plan would have to change.
#include "plan/verify.hpp"
#include "plan/wanted.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "plan/numbers.hpp"
#include "plan/strays.hpp"

namespace paas::plan {

namespace {

using lockfile::Known;

bool carries_tag(const std::vector<std::string>& tags, const std::string& stack) {
  return lockfile::belongs(tags, stack, lockfile::Intent::none);
}

/// Why it is not there; empty when it is.
std::string reason_missing(const Known& known, const observe::Observed& observed,
                           std::optional<bool> key_found) {
  const auto gone_unless = [](bool exists) { return std::string(exists ? "" : "it is gone"); };
  if (known.kind == "network") return gone_unless(observed.vpc.has_value());
  if (known.kind == "key") return gone_unless(key_found.value_or(true));
  if (known.kind == "firewall") return gone_unless(observed.firewalls.contains(known.name));
  if (known.kind == "volume") return gone_unless(observed.volumes.contains(known.name));
  if (known.kind == "server") return gone_unless(observed.servers.contains(known.name));
  if (known.kind != "address") return "";
  const auto& addresses = observed.reserved_ips;
  return gone_unless(std::any_of(addresses.begin(), addresses.end(),
                                 [&](const auto& ip) { return ip.ip == known.name; }));
}

Finding first_finding(const Known& known, const observe::Observed& observed,
                      std::optional<bool> key_found) {
  if (known.kind == "builder") {
    return {known, Condition::differs, "an interrupted `image save --snapshot` left it"};
  }
  if (auto reason = reason_missing(known, observed, key_found); !reason.empty()) {
    if (known.id.empty()) reason = "it was meant to be made and was not";
    return {known, Condition::missing, reason};
  }
  const auto server = observed.servers.find(known.name);
  if (known.kind == "server" && server->second.droplet.status == "active" &&
      !server->second.unreachable.empty()) {
    return {known, Condition::unknown, server->second.unreachable};
  }
  return {known, Condition::ok, ""};
}

/// What a step is about. Of a container or of HAProxy it is the server that differs.
Known subject_of(const Step& step, const lockfile::Lockfile& lockfile) {
  switch (step.kind) {
    case StepKind::create_key:
      return {"key", step.subject, ""};
    case StepKind::create_vpc:
      return {"network", step.subject, ""};
    case StepKind::create_firewall:
    case StepKind::update_firewall:
    case StepKind::close_firewall:
    case StepKind::delete_firewall:
      return {"firewall", step.subject, ""};
    case StepKind::create_volume:
    case StepKind::resize_volume:
    case StepKind::tag_volume:
      return {"volume", step.subject, ""};
    case StepKind::create_address:
    case StepKind::assign_address:
    case StepKind::release_address:
      if (!lockfile.lb || lockfile.lb->reserved_ip.empty()) return {"address", "public", ""};
      return {"address", lockfile.lb->reserved_ip, ""};
    default:
      return {"server", step.server, ""};
  }
}

/// Adds a reason, once, to what was found so far.
void add_reason(std::vector<Finding>& findings, const Known& subject, const Step& step) {
  auto found = std::find_if(findings.begin(), findings.end(), [&](const Finding& finding) {
    return lockfile::address_of(finding.resource) == lockfile::address_of(subject);
  });
  if (found == findings.end()) {
    findings.push_back({subject, Condition::missing, step.cause});
    return;
  }
  if (found->condition == Condition::ok) found->condition = Condition::differs;
  if (found->condition != Condition::differs) return;
  if (found->detail.find(step.cause) != std::string::npos) return;
  found->detail += (found->detail.empty() ? "" : "; ") + step.cause;
}

/// Whether the droplet is none of a service that is known not to be a database.
bool may_hold_data(const std::string& name, const stack::Stack& stack) {
  if (lockfile::is_builder_name(name)) return false;
  const auto parts = lockfile::parse_server_name(stack.name, name);
  if (!parts) return true;
  if (parts->service == "lb") return false;
  const auto* service = stack::find_service(stack, parts->service);
  return service == nullptr || service->type == stack::ServiceType::db;
}

Orphan orphan_of(const digitalocean::Droplet& droplet, const lockfile::Lockfile& lockfile) {
  const bool inside =
      lockfile.vpc && !lockfile.vpc->id.empty() && droplet.vpc_id == lockfile.vpc->id;
  Orphan orphan{"droplet", droplet.name, std::to_string(droplet.id), inside, ""};
  orphan.may_hold_data = may_hold_data(droplet.name, *lockfile.applied);
  if (!inside) {
    orphan.detail = "it lies in another network: another lockfile may have made it";
  } else if (orphan.may_hold_data) {
    orphan.detail = "it may hold data: it goes only when it is named";
  }
  return orphan;
}

std::vector<Orphan> orphans_of(const std::string& stack, const lockfile::Lockfile& lockfile,
                               const observe::Observed& observed) {
  std::vector<Orphan> orphans;
  for (const auto& [name, server] : observed.servers) {
    if (lockfile.servers.contains(name) || lockfile.temporary.contains(name)) continue;
    orphans.push_back(orphan_of(server.droplet, lockfile));
  }
  for (const auto& droplet : observed.namesakes) orphans.push_back(orphan_of(droplet, lockfile));
  const bool shared = std::any_of(orphans.begin(), orphans.end(),
                                  [](const Orphan& orphan) { return !orphan.removable; });
  for (const auto& [name, firewall] : observed.firewalls) {
    const auto& known = lockfile.firewalls;
    const bool is_known =
        std::any_of(known.begin(), known.end(),
                    [&, key = name](const auto& entry) { return entry.second.name == key; });
    if (is_known || !carries_tag(firewall.spec.tags, stack)) continue;
    orphans.push_back({"firewall", name, firewall.id, !shared && lockfile.vpc.has_value(),
                       shared ? "droplets of another lockfile may need it" : ""});
  }
  for (const auto& volume : stray_volumes(stack, lockfile, observed)) {
    orphans.push_back({"volume", volume.name, volume.id, false, "it holds data"});
  }
  for (const auto& [ip, droplet] : stray_addresses(lockfile, observed)) {
    orphans.push_back({"address", ip, ip, false, "it is on droplet " + droplet});
  }
  return orphans;
}

Step& add_step(Plan& plan, StepKind kind, const std::string& key) {
  Step step;
  step.kind = kind;
  step.id = to_text(kind) + "/" + key;
  step.cause = "the lockfile does not know it";
  plan.steps.push_back(std::move(step));
  return plan.steps.back();
}

/// A namesake of a known server gets a key of its own.
std::string free_key(const lockfile::Lockfile& lockfile, const Orphan& orphan) {
  if (!lockfile.servers.contains(orphan.name)) return orphan.name;
  return fmt::format("{}.{}", orphan.name, orphan.id);
}

}  // namespace

std::string to_text(Condition condition) {
  switch (condition) {
    case Condition::ok:
      return "ok";
    case Condition::missing:
      return "missing";
    case Condition::differs:
      return "differs";
    case Condition::unknown:
      return "unknown";
  }
  return "";
}

bool Verification::holds() const {
  return orphans.empty() && std::all_of(findings.begin(), findings.end(), [](const Finding& found) {
           return found.condition == Condition::ok;
         });
}

Input unchanged(const lockfile::Lockfile& lockfile, const observe::Observed& observed) {
  Input input;
  input.stack = lockfile.applied.value_or(stack::Stack{});
  input.lockfile = lockfile;
  input.observed = observed;
  input.accept_loss = true;
  if (lockfile.lb) input.certificates = lockfile.lb->certificates;
  for (const auto& service : input.stack.services) {
    const auto* release = current_release(lockfile, service.name);
    if (release == nullptr) continue;
    auto& held = input.held[service.name];
    held.release = release->number;
    held.image.reference = release->image_name;
    held.image.digest = release->image_digest;
  }
  return input;
}

Result<Verification> verify(const lockfile::Lockfile& lockfile, const observe::Observed& observed,
                            std::optional<bool> key_found) {
  Verification result;
  for (const auto& known : lockfile::known_resources(lockfile)) {
    result.findings.push_back(first_finding(known, observed, key_found));
  }
  if (!lockfile.applied) return result;
  const auto& stack = lockfile.applied->name;
  result.orphans = orphans_of(stack, lockfile, observed);
  // A stack that is down has nothing that could differ.
  if (lockfile.servers.empty() && lockfile.firewalls.empty()) return result;
  auto input = unchanged(lockfile, observed);
  // Orphans are told as such.
  raise_numbers(stack, observed, input.lockfile);
  PAAS_TRY(const auto plan, make(input));
  for (const auto& step : plan.steps) {
    add_reason(result.findings, subject_of(step, lockfile), step);
  }
  return result;
}

Plan make_removal(const lockfile::Lockfile& lockfile, const std::vector<Orphan>& orphans) {
  Plan plan;
  plan.lockfile = lockfile;
  const auto stack = lockfile.applied ? lockfile.applied->name : std::string();
  std::vector<std::string> removed;
  for (const auto& orphan : orphans) {
    if (!orphan.removable || orphan.kind != "droplet") continue;
    const auto parts = lockfile::parse_server_name(stack, orphan.name);
    lockfile::Server server;
    server.service = parts ? parts->service : "";
    server.number = parts ? parts->number : 0;
    server.droplet = {orphan.name, orphan.id};
    server.leaving = true;
    server.holds_data = orphan.may_hold_data;
    const auto key = free_key(plan.lockfile, orphan);
    if (parts) {
      auto& next = plan.lockfile.services[parts->service].next_number;
      next = std::max(next, parts->number + 1);
    }
    plan.lockfile.servers[key] = server;
    auto& step = add_step(plan, StepKind::delete_server, key);
    step.server = key;
    step.service = server.service;
    removed.push_back(step.id);
    if (!orphan.may_hold_data) continue;
    plan.losses.push_back(
        {key, server.service, step.id,
         fmt::format("droplet {} ({}), which may hold data", orphan.name, orphan.id)});
  }
  for (const auto& orphan : orphans) {
    if (!orphan.removable || orphan.kind != "firewall") continue;
    const auto service = orphan.name.substr(stack.size() + 1);
    plan.lockfile.firewalls[service] = {orphan.name, orphan.id};
    auto& step = add_step(plan, StepKind::delete_firewall, service);
    step.service = service;
    step.subject = orphan.name;
    step.after = removed;
  }
  return plan;
}

}  // namespace paas::plan
