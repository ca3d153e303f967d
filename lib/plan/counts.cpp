// Adds and takes out single servers in the lockfile.
#include "plan/counts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace paas::plan {

std::string limit_hint(const stack::Service& service, const std::string& file) {
  const bool can_have_more =
      service.type == stack::ServiceType::web || service.type == stack::ServiceType::worker;
  return can_have_more ? fmt::format("change services.{}.scale in {}", service.name, file)
                       : "only web and worker can have more";
}

Status add_one(lockfile::Lockfile& lockfile, const stack::Service& service) {
  auto& count = lockfile.services[service.name].count;
  int staying = 0;
  for (const auto& [name, server] : lockfile.servers) {
    if (server.service != service.name || server.leaving || server.warm) continue;
    if (!server.prepared || server.release == 0) return {};
    ++staying;
  }
  if (staying > 0 && staying < count) return {};
  const int wanted = std::max(count, service.scale.min) + 1;
  if (wanted > service.scale.max) {
    return fail(ErrorKind::usage,
                fmt::format("{} can have {} server{} at most", service.name, service.scale.max,
                            service.scale.max == 1 ? "" : "s"),
                limit_hint(service, "the stack file"));
  }
  count = wanted;
  return {};
}

Status take_out(lockfile::Lockfile& lockfile, const stack::Stack& stack,
                const std::string& server) {
  auto& entry = lockfile.servers.at(server);
  if (entry.leaving) return {};
  if (entry.warm) {
    return fail(ErrorKind::usage, fmt::format("{} is kept warm: it serves nobody", server),
                fmt::format("change services.{}.scale.warm in the stack file", entry.service));
  }
  const auto* service = stack::find_service(stack, entry.service);
  auto& count = lockfile.services[entry.service].count;
  if (service == nullptr || count <= service->scale.min) {
    return fail(
        ErrorKind::usage,
        fmt::format("{} has {} server{}, its minimum", entry.service, count, count == 1 ? "" : "s"),
        fmt::format("`paasctl server replace {}` makes a new one in its place", server));
  }
  entry.leaving = true;
  --count;
  return {};
}

}  // namespace paas::plan
