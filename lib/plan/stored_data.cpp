// Judges by what is declared, attached and running where a server's data is.
#include "plan/stored_data.hpp"

#include <algorithm>
#include <cstdint>

#include "lockfile/names.hpp"
#include "plan/releases.hpp"

namespace paas::plan {

bool has_volume(const stack::Stack& stack, const observe::Observed& observed,
                const lockfile::Server& server) {
  const auto volume = observed.volumes.find(lockfile::volume_name(stack.name, server.service));
  if (volume == observed.volumes.end()) return false;
  const auto& holders = volume->second.droplet_ids;
  return std::any_of(holders.begin(), holders.end(),
                     [&](std::int64_t id) { return server.droplet.id == std::to_string(id); });
}

bool may_store_data(const stack::Stack& stack, const observe::Observed& observed,
                    const lockfile::Server& server, const observe::Machine* inside) {
  const auto* declared = stack::find_service(stack, server.service);
  if (server.service == "lb") return false;
  if (declared != nullptr && declared->type != stack::ServiceType::db) return false;
  if (inside == nullptr) return !has_volume(stack, observed, server);
  return may_store_on_disk(*inside);
}

}  // namespace paas::plan
