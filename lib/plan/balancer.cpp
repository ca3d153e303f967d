// Translates stack and lockfile into HAProxy's terms.
#include "plan/balancer.hpp"

#include <fmt/format.h>

#include "plan/certificates.hpp"

namespace paas::plan {

std::string rotation_name(const std::string& server, int release) {
  return fmt::format("{}.r{}", server, release);
}

const lockfile::Server* balancer_of(const lockfile::Lockfile& lockfile) {
  const lockfile::Server* best = nullptr;
  for (const auto& [name, server] : lockfile.servers) {
    if (server.service != "lb" || server.leaving) continue;
    if (best == nullptr || server.number > best->number) best = &server;
  }
  return best;
}

haproxy::Server balancer_server(const lockfile::Lockfile& lockfile, const std::string& server_name,
                                const lockfile::Server& server) {
  const auto entry = lockfile.services.find(server.service);
  haproxy::Server result;
  result.name = rotation_name(server_name, server.release);
  result.address = server.private_address;
  result.weight = weight_of(server);
  if (entry != lockfile.services.end() &&
      static_cast<std::size_t>(server.slot) < entry->second.slots.size()) {
    result.port = entry->second.slots[static_cast<std::size_t>(server.slot)];
  }
  return result;
}

haproxy::Setup balancer_setup(const stack::Stack& stack, const lockfile::Lockfile& lockfile) {
  haproxy::Setup setup;
  setup.stack = stack.name;
  if (!stack.lb) return setup;
  setup.listen = stack.lb->listen;
  setup.tls = balancer_tls(stack);
  setup.rules = stack.lb->rules;
  setup.traffic = stack.lb->traffic;
  setup.maintenance = lockfile.lb && lockfile.lb->maintenance;
  if (const auto* balancer = balancer_of(lockfile)) {
    setup.private_address = balancer->private_address;
  }
  for (const auto& service : stack.services) {
    if (service.type != stack::ServiceType::web) continue;
    haproxy::Backend backend;
    backend.name = service.name;
    backend.health_path = service.health.path;
    backend.health_interval_ms = service.health.interval_ms;
    backend.health_timeout_ms = service.health.timeout_ms;
    backend.sticky = service.sticky;
    backend.answer_timeout_ms = service.answer_timeout_ms;
    backend.max_connections = service.max_connections;
    const auto entry = lockfile.services.find(service.name);
    if (entry != lockfile.services.end() && entry->second.internal_port) {
      backend.internal_port = *entry->second.internal_port;
    }
    setup.backends.push_back(std::move(backend));
  }
  return setup;
}

haproxy::Setup serving_setup(const stack::Stack& stack, const lockfile::Lockfile& lockfile) {
  auto setup = balancer_setup(stack, lockfile);
  for (auto& backend : setup.backends) {
    // By name, as a map has them; "web-10" comes before "web-2" in the file as well.
    for (const auto& [name, server] : lockfile.servers) {
      const bool serves = server.service == backend.name && !server.leaving && server.release > 0;
      if (serves) backend.servers.push_back(balancer_server(lockfile, name, server));
    }
  }
  return setup;
}

int weight_of(const lockfile::Server& server) {
  return server.weight.value_or(haproxy::weight_in_rotation);
}

std::string hosts_file(const lockfile::Lockfile& lockfile) {
  std::string text =
      "127.0.0.1\tlocalhost\n"
      "::1\tlocalhost ip6-localhost ip6-loopback\n";
  const auto* balancer = balancer_of(lockfile);
  if (balancer != nullptr && !balancer->private_address.empty()) {
    text += balancer->private_address + "\tlb.internal\n";
  }
  return text;
}

}  // namespace paas::plan
