// Reads in containers' environments whose password is in use, and begins rotations.
#include "plan/renewal.hpp"

#include <algorithm>
#include <map>

#include "lockfile/names.hpp"
#include "lockfile/passwords.hpp"
#include "plan/releases.hpp"
#include "stack/links.hpp"

namespace paas::plan {

namespace {

/// Adds how many of a service's running containers have which value of a variable.
void count_values(const lockfile::Lockfile& lockfile, const observe::Observed& observed,
                  const std::string& service, const std::string& variable,
                  std::map<std::string, int>& counts) {
  for (const auto& [name, server] : lockfile.servers) {
    const auto* inside = inside_of(lockfile, observed, name);
    if (inside == nullptr || server.service != service) continue;
    for (const auto& container : inside->containers) {
      const auto value = container.environment.find(variable);
      if (container.state != "running" || value == container.environment.end()) continue;
      ++counts[value->second];
    }
  }
}

/// Whether there is anything that may have a password of the service.
bool is_in_use(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
               const observe::Observed& observed, const std::string& service) {
  const auto volume = lockfile::volume_name(stack.name, service);
  return lockfile.volumes.contains(volume) || observed.volumes.contains(volume) ||
         std::any_of(lockfile.servers.begin(), lockfile.servers.end(), [&](const auto& entry) {
           return entry.second.service == service && entry.second.release > 0;
         });
}

}  // namespace

std::string user_in_use(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                        const observe::Observed& observed, const stack::Service& service) {
  if (service.credentials->other_user.empty()) return "";
  std::map<std::string, int> counts;
  for (const auto& other : stack.services) {
    for (const auto& link : other.links) {
      if (link.to != service.name) continue;
      for (const auto& [variable, pattern] : stack::link_templates(service, link)) {
        if (pattern == "{user}") count_values(lockfile, observed, other.name, variable, counts);
      }
    }
  }
  const auto& user = service.credentials->user;
  const auto& other_user = service.credentials->other_user;
  if (counts[user] == 0 && counts[other_user] == 0) return "";
  return counts[other_user] > counts[user] ? other_user : user;
}

void renew_password(const stack::Stack& stack, const observe::Observed& observed,
                    const stack::Service& service, lockfile::Lockfile& lockfile) {
  auto& entry = lockfile.services[service.name];
  if (auto user = user_in_use(stack, lockfile, observed, service); !user.empty()) {
    entry.user = std::move(user);
  }
  entry.password = Secret();
  entry.rotation = lockfile::PasswordRotation{lockfile::RotationState::pending, Secret(),
                                              lockfile::next_user(*service.credentials, entry)};
}

std::vector<std::string> renew_passwords(const stack::Stack& stack,
                                         const observe::Observed& observed,
                                         lockfile::Lockfile& lockfile) {
  std::vector<std::string> renewed;
  for (const auto& service : stack.services) {
    if (!service.credentials || service.credentials->set.empty()) continue;
    if (!is_in_use(stack, lockfile, observed, service.name)) continue;
    renew_password(stack, observed, service, lockfile);
    renewed.push_back(service.name);
  }
  return renewed;
}

}  // namespace paas::plan
