// Finds the steps of a plan that destroy data which is nowhere else, or whoever serves it.
#include "plan/losses.hpp"

#include <fmt/format.h>

namespace paas::plan {

namespace {

/// What goes with the data on a server's own disk; empty when the step leaves it there.
std::string what_goes(const Step& step, const lockfile::Lockfile& before) {
  const auto found = before.servers.find(step.server);
  if (found == before.servers.end() || !found->second.holds_data) return "";
  if (step.kind == StepKind::delete_server) return "server " + step.server;
  if (step.kind == StepKind::retire_container) return "the container on " + step.server;
  return "";
}

/// The volume of a service; empty when it has none.
std::string volume_of(const lockfile::Lockfile& lockfile, const std::string& service) {
  for (const auto& [name, volume] : lockfile.volumes) {
    if (volume.service == service) return name;
  }
  return "";
}

}  // namespace

std::vector<DataLoss> data_losses(const std::vector<Step>& steps,
                                  const lockfile::Lockfile& before) {
  std::vector<DataLoss> losses;
  for (const auto& step : steps) {
    if (step.kind == StepKind::delete_volume) {
      losses.push_back(
          {step.subject, step.service, step.id,
           fmt::format("volume {}, with all data of {}, for good", step.subject, step.service)});
    }
    if (const auto what = what_goes(step, before); !what.empty()) {
      losses.push_back({step.server, step.service, step.id,
                        fmt::format("{}, with the data of {} that is on no volume, for good", what,
                                    step.service)});
    }
  }
  return losses;
}

std::vector<DataLoss> serving_losses(const std::vector<Step>& steps,
                                     const lockfile::Lockfile& before) {
  std::vector<DataLoss> losses;
  for (const auto& step : steps) {
    if (step.kind != StepKind::delete_server) continue;
    const auto found = before.servers.find(step.server);
    if (found == before.servers.end() || found->second.leaving || found->second.holds_data)
      continue;
    const auto volume = volume_of(before, found->second.service);
    if (volume.empty()) continue;
    losses.push_back({step.server, step.service, step.id,
                      fmt::format("server {} of {}, whose data stays on volume {}", step.server,
                                  step.service, volume),
                      true});
  }
  return losses;
}

}  // namespace paas::plan
