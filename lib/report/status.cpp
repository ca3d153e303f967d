// Renders what exists beside what was made.
#include "report/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lockfile/passwords.hpp"
#include "plan/balancer.hpp"
#include "report/style.hpp"

namespace paas::report {

namespace {

/// What is known of one server, as words.
struct Row {
  std::string name;
  const lockfile::Server* server = nullptr;
  std::string status;     ///< active, off, gone, unreachable ...
  std::string container;  ///< "running r2", "none"
  std::string rotation;   ///< "in", "in, weight 5", "drained", "out", "-"
  std::string reason;     ///< Why it could not be looked at.
};

const observe::Balancer* find_balancer(const lockfile::Lockfile& lockfile,
                                       const observe::Observed& observed) {
  for (const auto& [name, server] : lockfile.servers) {
    if (server.service != "lb") continue;
    const auto seen = observed.servers.find(name);
    if (seen != observed.servers.end() && seen->second.machine && seen->second.machine->balancer) {
      return &*seen->second.machine->balancer;
    }
  }
  return nullptr;
}

std::string container_of(const lockfile::Server& server, const observe::Machine& machine) {
  if (server.service == "lb") {
    return machine.balancer && machine.balancer->running ? "haproxy running" : "haproxy stopped";
  }
  for (const auto& container : machine.containers) {
    if (container.service == server.service && container.release == server.release) {
      return fmt::format("{} r{}", container.state, container.release);
    }
  }
  return "none";
}

std::string rotation_of(const stack::Stack& stack, const std::string& name,
                        const lockfile::Server& server, const observe::Balancer* balancer) {
  const auto* service = stack::find_service(stack, server.service);
  if (service == nullptr || service->type != stack::ServiceType::web || balancer == nullptr) {
    return "-";
  }
  const auto backend = balancer->in_rotation.find(server.service);
  const bool in = backend != balancer->in_rotation.end() &&
                  backend->second.contains(plan::rotation_name(name, server.release));
  if (in) return server.weight ? fmt::format("in, weight {}", *server.weight) : "in";
  return server.weight == 0 ? "drained" : "out";
}

std::vector<Row> rows_of(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const observe::Observed& observed) {
  const auto* balancer = find_balancer(lockfile, observed);
  std::vector<Row> rows;
  for (const auto& [name, server] : lockfile.servers) {
    Row row{name, &server, "gone", "-", "-", ""};
    const auto seen = observed.servers.find(name);
    if (seen != observed.servers.end()) {
      row.status = seen->second.droplet.status;
      row.rotation = rotation_of(stack, name, server, balancer);
      if (seen->second.machine) {
        row.container = container_of(server, *seen->second.machine);
      } else if (!seen->second.unreachable.empty() && row.status == "active") {
        row.status = "unreachable";
        row.reason = seen->second.unreachable;
      }
    } else if (server.droplet.id.empty()) {
      row.status = "intended";
    }
    if (server.warm) {
      row.status += ", warm";
      row.rotation = "-";
    }
    if (server.leaving) row.status += ", leaving";
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const Row& left, const Row& right) {
    return std::tie(left.server->service, left.server->number) <
           std::tie(right.server->service, right.server->number);
  });
  return rows;
}

nlohmann::ordered_json servers_of(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                                  const observe::Observed& observed) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& row : rows_of(stack, lockfile, observed)) {
    nlohmann::ordered_json entry;
    entry["name"] = row.name;
    entry["service"] = row.server->service;
    entry["status"] = row.status;
    entry["container"] = row.container;
    entry["rotation"] = row.rotation.substr(0, row.rotation.find(','));
    entry["weight"] = nullptr;
    if (row.rotation != "-") entry["weight"] = plan::weight_of(*row.server);
    entry["warm"] = row.server->warm;
    entry["release"] = row.server->release;
    entry["droplet_id"] = row.server->droplet.id;
    entry["public_address"] = row.server->public_address;
    entry["private_address"] = row.server->private_address;
    entry["size"] = row.server->size;
    entry["region"] = row.server->region;
    entry["created"] = row.server->created;
    if (!row.reason.empty()) entry["reason"] = row.reason;
    list.push_back(std::move(entry));
  }
  return list;
}

/// How far the service's new password has come; empty when none is on its way.
std::string password_rotation_of(const lockfile::Service& service) {
  return service.rotation ? lockfile::to_text(service.rotation->state) : "";
}

/// "3 (2..6)", and how many more are kept warm: "3 (2..6), 1 warm".
std::string servers_text_of(const stack::Service& service, const lockfile::Service& entry) {
  const auto& scale = service.scale;
  auto text = fmt::format("{} ({}..{})", entry.count, scale.min, scale.max);
  if (scale.warm > 0) text += fmt::format(", {} warm", scale.warm);
  return text;
}

/// "sha256:0123456789ab...": as much of it as people compare.
std::string short_digest(const std::string& digest) {
  const auto colon = digest.find(':');
  return colon == std::string::npos ? "-" : digest.substr(colon + 1, 12);
}

}  // namespace

std::string servers_text(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const observe::Observed& observed, Detail detail, Color color) {
  const auto rows = rows_of(stack, lockfile, observed);
  std::string text;
  if (detail == Detail::names) {
    for (const auto& row : rows) text += row.name + "\n";
    return text;
  }
  std::vector<std::vector<std::string>> cells = {
      {"SERVER", "STATUS", "CONTAINER", "ROTATION", "PUBLIC", "PRIVATE"}};
  if (detail == Detail::wide) {
    cells[0].insert(cells[0].end(), {"DROPLET", "SIZE", "REGION", "IMAGE", "CREATED"});
  }
  for (const auto& row : rows) {
    const auto& server = *row.server;
    cells.push_back({row.name, row.status, row.container, row.rotation, server.public_address,
                     server.private_address});
    if (detail == Detail::wide) {
      cells.back().insert(cells.back().end(), {server.droplet.id, server.size, server.region,
                                               server.image, server.created});
    }
  }
  text = table(cells);
  for (const auto& row : rows) {
    if (!row.reason.empty()) {
      text += fmt::format("{} {}: {}\n", paint("!", Tone::attention, color), row.name, row.reason);
    }
  }
  return text;
}

std::string servers_json(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const observe::Observed& observed) {
  return servers_of(stack, lockfile, observed).dump(2) + "\n";
}

std::string status_text(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                        const observe::Observed& observed, Detail detail, Color color) {
  auto text = fmt::format("Stack {} in {} ({})\n", paint(stack.name, Tone::strong, color),
                          stack.region, stack::to_text(stack.cloud));
  if (lockfile.lb && !lockfile.lb->reserved_ip.empty()) {
    text += fmt::format("Address {}, {} reload{} of HAProxy\n", lockfile.lb->reserved_ip,
                        lockfile.lb->reloads, lockfile.lb->reloads == 1 ? "" : "s");
  }
  if (lockfile.lb && lockfile.lb->maintenance) {
    text += fmt::format(
        "{} maintenance is on, users get a page with status 503: `paasctl lb "
        "maintenance off` ends it\n",
        paint("!", Tone::attention, color));
  }
  std::vector<std::vector<std::string>> services = {
      {"SERVICE", "TYPE", "SERVERS", "RELEASE", "IMAGE"}};
  for (const auto& service : stack.services) {
    const auto entry = lockfile.services.find(service.name);
    if (entry == lockfile.services.end()) continue;
    const auto& releases = entry->second.releases;
    services.push_back({service.name, stack::to_text(service.type),
                        servers_text_of(service, entry->second),
                        releases.empty() ? "-" : fmt::format("r{}", releases.back().number),
                        releases.empty() ? "-" : short_digest(releases.back().image_digest)});
  }
  text += "\n" + table(services);
  for (const auto& [name, service] : lockfile.services) {
    if (!service.rotation) continue;
    text += fmt::format("{} a new password of {} is {}: `paasctl up` goes on with it\n",
                        paint("!", Tone::attention, color), name, password_rotation_of(service));
  }
  if (!lockfile.volumes.empty()) {
    std::vector<std::vector<std::string>> volumes = {{"VOLUME", "SERVICE", "SIZE", "DROPLET"}};
    for (const auto& [name, volume] : lockfile.volumes) {
      const auto seen = observed.volumes.find(name);
      std::string holder = seen == observed.volumes.end() ? "gone" : "-";
      if (seen != observed.volumes.end() && !seen->second.droplet_ids.empty()) {
        holder = std::to_string(seen->second.droplet_ids.front());
      }
      volumes.push_back(
          {name, volume.service, fmt::format("{} GiB", volume.size_gigabytes), holder});
    }
    text += "\n" + table(volumes);
  }
  if (lockfile.servers.empty()) return text + "\nNo servers: the stack is down.\n";
  return text + "\n" + servers_text(stack, lockfile, observed, detail, color);
}

std::string status_json(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                        const observe::Observed& observed) {
  nlohmann::ordered_json document;
  document["format_version"] = 1;
  document["stack"] = stack.name;
  document["cloud"] = stack::to_text(stack.cloud);
  document["region"] = stack.region;
  document["address"] = lockfile.lb ? lockfile.lb->reserved_ip : "";
  document["reloads"] = lockfile.lb ? lockfile.lb->reloads : 0;
  document["maintenance"] = lockfile.lb && lockfile.lb->maintenance;
  document["services"] = nlohmann::ordered_json::array();
  for (const auto& service : stack.services) {
    const auto entry = lockfile.services.find(service.name);
    if (entry == lockfile.services.end()) continue;
    const auto& releases = entry->second.releases;
    document["services"].push_back(
        {{"name", service.name},
         {"type", stack::to_text(service.type)},
         {"count", entry->second.count},
         {"min", service.scale.min},
         {"max", service.scale.max},
         {"warm", service.scale.warm},
         {"release", releases.empty() ? 0 : releases.back().number},
         {"image_digest", releases.empty() ? "" : releases.back().image_digest},
         {"password_rotation", password_rotation_of(entry->second)}});
  }
  document["volumes"] = nlohmann::ordered_json::array();
  for (const auto& [name, volume] : lockfile.volumes) {
    document["volumes"].push_back({{"name", name},
                                   {"service", volume.service},
                                   {"size_gigabytes", volume.size_gigabytes},
                                   {"exists", observed.volumes.contains(name)}});
  }
  document["servers"] = servers_of(stack, lockfile, observed);
  return document.dump(2) + "\n";
}

}  // namespace paas::report
