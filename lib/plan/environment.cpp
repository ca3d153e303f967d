// Gathers what links and credentials give to a container; stack/links.hpp fills the templates in.
#include "plan/environment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lockfile/passwords.hpp"
#include "lockfile/seal.hpp"

namespace paas::plan {

namespace {

void merge(Variables& into, Variables from) {
  for (auto& [name, value] : from.values) into.values[name] = std::move(value);
  into.secret.merge(from.secret);
  into.unknown.merge(from.unknown);
}

/// What a service's own container is told of its credentials.
Variables credentials_variables(const lockfile::Lockfile& lockfile, const stack::Service& service) {
  Variables variables;
  if (!service.credentials) return variables;
  const auto entry = lockfile.services.find(service.name);
  const auto login = entry == lockfile.services.end() ? lockfile::Login()
                                                      : lockfile::login_of_container(entry->second);
  const auto& password = login.password;
  variables.values = stack::credentials_environment(service, login.user, password.reveal());
  for (const auto& [name, value] : service.credentials->env) {
    if (!has_secret(value)) continue;
    variables.secret.insert(name);
    if (!password.empty()) continue;
    variables.values.erase(name);
    variables.unknown.insert(name);
  }
  return variables;
}

}  // namespace

bool has_secret(const std::string& text) {
  const auto names = stack::placeholders(text).names;
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name == "password" || name == "url"; });
}

const lockfile::Server* serving(const lockfile::Lockfile& lockfile, const std::string& service) {
  const lockfile::Server* best = nullptr;
  for (const auto& [name, server] : lockfile.servers) {
    if (server.service != service || server.leaving) continue;
    if (best == nullptr || server.number > best->number) best = &server;
  }
  return best;
}

std::optional<stack::LinkDetails> endpoint_of(const stack::Stack& stack,
                                              const lockfile::Lockfile& lockfile,
                                              const stack::Service& service) {
  stack::LinkDetails details;
  const auto entry = lockfile.services.find(service.name);
  if (entry == lockfile.services.end()) return std::nullopt;
  if (service.type == stack::ServiceType::web) {
    if (!stack.lb || !entry->second.internal_port) return std::nullopt;
    details.host = "lb.internal";
    details.port = *entry->second.internal_port;
  } else {
    const auto* server = serving(lockfile, service.name);
    if (server == nullptr || server->private_address.empty() || !service.port) return std::nullopt;
    details.host = server->private_address;
    details.port = *service.port;
  }
  if (service.credentials) {
    const auto login = lockfile::login_of_dependents(entry->second);
    if (login.password.empty()) return std::nullopt;
    details.password = login.password.reveal();
    details.user = login.user;
  }
  return details;
}

Variables link_variables(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const stack::Link& link) {
  Variables variables;
  const auto* target = stack::find_service(stack, link.to);
  if (target == nullptr) return variables;
  const auto details = endpoint_of(stack, lockfile, *target);
  if (details) variables.values = stack::link_environment(*target, link, *details);
  for (const auto& [name, value] : stack::link_templates(*target, link)) {
    if (target->credentials && has_secret(value)) variables.secret.insert(name);
    if (!details) variables.unknown.insert(name);
  }
  return variables;
}

Variables environment_of(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const stack::Service& service) {
  Variables variables;
  variables.values["PAAS_STACK"] = stack.name;
  variables.values["PAAS_SERVICE"] = service.name;
  if (service.type == stack::ServiceType::web && service.port) {
    variables.values["PORT"] = std::to_string(*service.port);
  }
  merge(variables, credentials_variables(lockfile, service));
  for (const auto& link : service.links) merge(variables, link_variables(stack, lockfile, link));
  // The service's own word is the last, and known whatever its links are waiting for.
  for (const auto& [name, value] : service.env) {
    variables.values[name] = value;
    variables.unknown.erase(name);
    variables.secret.erase(name);
  }
  return variables;
}

std::string environment_digest(const std::map<std::string, std::string>& values) {
  std::string text;
  for (const auto& [name, value] : values) text += fmt::format("{}={}", name, value) + '\0';
  return lockfile::sha256_hex(text);
}

}  // namespace paas::plan
