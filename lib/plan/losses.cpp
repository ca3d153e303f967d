// Finds the steps of a plan that destroy data which is nowhere else.
#include "plan/losses.hpp"

#include <fmt/format.h>

#include "lockfile/names.hpp"

namespace paas::plan {

namespace {

/// Whether the server keeps a database's data on its own disk.
bool keeps_data(const lockfile::Lockfile& before, const std::string& name) {
  const auto server = before.servers.find(name);
  if (server == before.servers.end() || !before.applied) return false;
  const auto* service = stack::find_service(*before.applied, server->second.service);
  if (service == nullptr || service->type != stack::ServiceType::db) return false;
  const auto volume = lockfile::volume_name(before.applied->name, service->name);
  const bool has_volume = service->volume && before.volumes.contains(volume);
  return server->second.release > 0 && !has_volume;
}

}  // namespace

std::vector<DataLoss> data_losses(const std::vector<Step>& steps,
                                  const lockfile::Lockfile& before) {
  std::vector<DataLoss> losses;
  for (const auto& step : steps) {
    if (step.kind == StepKind::delete_volume) {
      losses.push_back({step.subject, step.service, step.id,
                        fmt::format("volume {}, with all data of {}", step.subject, step.service)});
    }
    if (step.kind == StepKind::delete_server && keeps_data(before, step.server)) {
      losses.push_back({step.server, step.service, step.id,
                        fmt::format("server {}, with all data of {}, which has no volume",
                                    step.server, step.service)});
    }
  }
  return losses;
}

}  // namespace paas::plan
