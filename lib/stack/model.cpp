// Looks things up in a stack and names its kinds.
#include "stack/model.hpp"

#include <algorithm>

namespace paas::stack {

const Service* find_service(const Stack& stack, const std::string& name) {
  const auto found = std::find_if(stack.services.begin(), stack.services.end(),
                                  [&](const Service& service) { return service.name == name; });
  return found == stack.services.end() ? nullptr : &*found;
}

bool leads_to(const Rule& rule, const std::string& service) {
  const auto targets = targets_of(rule);
  return std::find(targets.begin(), targets.end(), service) != targets.end();
}

std::vector<int> public_ports(const LoadBalancer& lb) {
  auto ports = lb.listen;
  if (lb.tls) ports.insert(ports.end(), lb.tls->listen.begin(), lb.tls->listen.end());
  return ports;
}

bool is_own_authority(const Stack& stack) {
  return stack.cloud == CloudKind::local && stack.lb && stack.lb->tls && stack.lb->tls->acme &&
         stack.lb->tls->acme->directory.empty();
}

std::string acme_directory(const Stack& stack) {
  if (!stack.lb || !stack.lb->tls || !stack.lb->tls->acme || is_own_authority(stack)) return "";
  const auto& directory = stack.lb->tls->acme->directory;
  return directory.empty() ? "https://acme-v02.api.letsencrypt.org/directory" : directory;
}

bool can_run(CloudKind cloud, const std::string& platform) {
  constexpr std::string_view droplets = "linux/amd64";
  return cloud == CloudKind::local || platform == droplets ||
         platform.starts_with(std::string(droplets) + "/");
}

std::string to_text(ServiceType type) {
  switch (type) {
    case ServiceType::web:
      return "web";
    case ServiceType::worker:
      return "worker";
    case ServiceType::db:
      return "db";
    case ServiceType::cache:
      return "cache";
  }
  return "web";
}

std::string to_text(CloudKind kind) {
  switch (kind) {
    case CloudKind::digitalocean:
      return "digitalocean";
    case CloudKind::local:
      return "local";
  }
  return "digitalocean";
}

}  // namespace paas::stack
