// Finds the steps of a plan that destroy data which is nowhere else.
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

}  // namespace

std::vector<DataLoss> data_losses(const std::vector<Step>& steps,
                                  const lockfile::Lockfile& before) {
  std::vector<DataLoss> losses;
  for (const auto& step : steps) {
    if (step.kind == StepKind::delete_volume) {
      losses.push_back({step.subject, step.service, step.id,
                        fmt::format("volume {}, with all data of {}", step.subject, step.service)});
    }
    if (const auto what = what_goes(step, before); !what.empty()) {
      losses.push_back(
          {step.server, step.service, step.id,
           fmt::format("{}, with the data of {} that is on no volume", what, step.service)});
    }
  }
  return losses;
}

}  // namespace paas::plan
