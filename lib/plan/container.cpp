// Derives a container's specification from stack and lockfile.
#include "plan/container.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "lockfile/names.hpp"

namespace paas::plan {

std::string container_name(const stack::Stack& stack, const std::string& service, int release) {
  return fmt::format("{}-{}-{}", stack.name, service, release);
}

int host_port(const lockfile::Lockfile& lockfile, const stack::Service& service, int slot) {
  if (service.type != stack::ServiceType::web) return service.port.value_or(0);
  const auto entry = lockfile.services.find(service.name);
  if (entry == lockfile.services.end()) return 0;
  const auto index = static_cast<std::size_t>(slot);
  return index < entry->second.slots.size() ? entry->second.slots[index] : 0;
}

std::string container_shape(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                            const stack::Service& service) {
  std::string shape = fmt::format("port={}", service.port.value_or(0));
  if (service.type == stack::ServiceType::web) {
    const auto entry = lockfile.services.find(service.name);
    if (entry != lockfile.services.end()) {
      shape += fmt::format(" slots={}", fmt::join(entry->second.slots, ","));
    }
  }
  if (service.volume) {
    shape += fmt::format(" volume={}:{}", lockfile::volume_name(stack.name, service.name),
                         service.volume->mount);
  }
  if (!service.command.empty()) {
    shape += fmt::format(" command={}", text::join(service.command, "\x1f"));
  }
  return shape;
}

bool stores_in_container(const stack::Service& service) {
  return service.type == stack::ServiceType::db && !service.volume;
}

docker::ContainerSpec container_of(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                                   const stack::Service& service, const std::string& server_name,
                                   const ContainerPlan& plan,
                                   const std::map<std::string, std::string>& environment) {
  docker::ContainerSpec spec;
  spec.name = container_name(stack, service.name, plan.release);
  spec.image = plan.image;
  spec.command = service.command;
  spec.hostname = server_name;
  spec.labels = {{"paas.stack", stack.name},
                 {"paas.service", service.name},
                 {"paas.server", server_name},
                 {"paas.release", std::to_string(plan.release)},
                 {"paas.slot", std::to_string(plan.slot)},
                 {"paas.image", plan.image_digest},
                 {"paas.shape", container_shape(stack, lockfile, service)}};
  std::vector<std::string> names;
  for (const auto& [name, value] : environment) {
    spec.environment.push_back(name + "=" + value);
    names.push_back(name);
  }
  // Tells our variables from the image's own when the container is looked at.
  spec.labels["paas.variables"] = text::join(names, ",");
  spec.environment.push_back("PAAS_SERVER=" + server_name);
  spec.environment.push_back(fmt::format("PAAS_RELEASE={}", plan.release));
  const auto server = lockfile.servers.find(server_name);
  if (service.port && server != lockfile.servers.end()) {
    spec.ports.push_back(
        {server->second.private_address, host_port(lockfile, service, plan.slot), *service.port});
  }
  spec.mounts.push_back({"/etc/paas/hosts", "/etc/hosts", true});
  if (service.volume) {
    // A folder inside the file system: its root holds lost+found, which databases refuse.
    const auto volume = lockfile::volume_name(stack.name, service.name);
    spec.mounts.push_back({fmt::format("/mnt/{}/data", volume), service.volume->mount, false});
  }
  spec.stop_timeout_seconds = 30;
  return spec;
}

}  // namespace paas::plan
