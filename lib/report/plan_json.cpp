// Renders plans as JSON, and says what each member means.
#include "report/plan_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "report/plan_text.hpp"

namespace paas::report {

namespace {

using Json = nlohmann::ordered_json;

const char* name_of(plan::Change change) {
  switch (change) {
    case plan::Change::create:
      return "create";
    case plan::Change::update:
      return "update";
    case plan::Change::remove:
      return "remove";
  }
  return "";
}

Json json_of(const plan::Step& step) {
  return {{"id", step.id},
          {"kind", plan::to_text(step.kind)},
          {"change", name_of(plan::change_of(step.kind))},
          {"reason", plan::to_text(step.reason)},
          {"service", step.service},
          {"server", step.server},
          {"subject", step.subject},
          {"detail", step.detail},
          {"description", plan::describe(step)},
          {"cause", step.cause},
          {"after", step.after}};
}

Json json_of(const plan::DataLoss& loss) {
  return {{"name", loss.name},
          {"service", loss.service},
          {"step", loss.step},
          {"text", loss.text},
          {"kept", loss.is_kept}};
}

/// Whole cents, so that no sum ends in digits that nobody pays.
Json json_of(const std::optional<double>& dollars) {
  return dollars ? Json(std::round(*dollars * 100) / 100) : Json(nullptr);
}

Json json_of(const plan::MonthlyCost& cost) {
  auto droplets = Json::array();
  for (const auto& size : cost.sizes) {
    droplets.push_back({{"size", size.size},
                        {"each", json_of(size.dollars)},
                        {"before", size.before},
                        {"after", size.after}});
  }
  const auto& unpriced = cost.unpriced;
  Json besides = {{"volumes_gigabytes",
                   {{"before", unpriced.volumes_before_gigabytes},
                    {"after", unpriced.volumes_after_gigabytes}}},
                  {"reserved_ips",
                   {{"before", unpriced.addresses_before}, {"after", unpriced.addresses_after}}},
                  {"machine_images_gigabytes", unpriced.machine_images_gigabytes}};
  return {{"currency", "USD"},
          {"before", json_of(plan::dollars_before(cost))},
          {"after", json_of(plan::dollars_after(cost))},
          {"droplets", std::move(droplets)},
          {"unpriced", std::move(besides)},
          {"unknown", cost.unknown},
          {"unavailable", cost.unavailable}};
}

}  // namespace

std::string plan_json(const plan::Plan& plan) {
  Json document;
  document["format_version"] = 1;
  document["stack"] = plan.lockfile.applied ? plan.lockfile.applied->name : "";
  document["steps"] = Json::array();
  for (const auto& step : plan.steps) document["steps"].push_back(json_of(step));
  const auto counts = count(plan);
  document["summary"] = {
      {"create", counts.create}, {"update", counts.update}, {"remove", counts.remove}};
  document["losses"] = Json::array();
  for (const auto& loss : plan.losses) document["losses"].push_back(json_of(loss));
  document["cost"] = plan.cost ? json_of(*plan.cost) : Json(nullptr);
  document["warnings"] = plan.warnings;
  document["unreached"] = plan.unreached;
  return document.dump(2) + "\n";
}

const std::vector<Member>& plan_members() {
  static const std::vector<Member> members = {
      {"format_version",
       "1. It grows when a member goes or gets another meaning; members may be "
       "added without that"},
      {"stack", "Name of the stack"},
      {"steps", "What would be done, in an order in which it could be done step by step"},
      {"steps[].id", "KIND/NAME, unique in the plan"},
      {"steps[].kind",
       "What is done, such as create_server or update_firewall; new kinds may come"},
      {"steps[].change", "create, update or remove"},
      {"steps[].reason",
       "change: the stack says something else than was applied; drift: what exists is not as it "
       "was left; unfinished: an earlier run began it; request: the command asks for it"},
      {"steps[].service", "Service that it is for, or lb; may be empty"},
      {"steps[].server", "Server that it is done to; may be empty"},
      {"steps[].subject", "Volume, firewall, image, network, key or address; may be empty"},
      {"steps[].detail", "What is made, for people; may be empty"},
      {"steps[].description", "The step in words"},
      {"steps[].cause", "Why it is needed, in words"},
      {"steps[].after", "Identifiers of the steps that have to be done before"},
      {"summary", "How many steps there are"},
      {"summary.create", "Steps that make something"},
      {"summary.update", "Steps that change something"},
      {"summary.remove", "Steps that remove something"},
      {"losses",
       "Data, or the server of a database, that is destroyed; each has to be confirmed with "
       "--confirm NAME"},
      {"losses[].name",
       "Server or volume that has it, which --confirm takes; a server need not be destroyed: "
       "losses[].step tells what is"},
      {"losses[].service", "Service whose data it is"},
      {"losses[].step", "Identifier of the step that destroys it"},
      {"losses[].text", "The loss in words"},
      {"losses[].kept", "Whether the data stays, on its volume, and only its server goes"},
      {"cost", "What the stack costs a month; null where it was not asked for"},
      {"cost.currency", "USD"},
      {"cost.before", "Dollars a month for the droplets that there are; null: a price is unknown"},
      {"cost.after", "Dollars a month for the droplets when the plan is done; null likewise"},
      {"cost.droplets", "Droplets by their size"},
      {"cost.droplets[].size", "Slug of the size"},
      {"cost.droplets[].each", "Dollars a month for one, the API's price_monthly; null: unknown"},
      {"cost.droplets[].before", "How many there are"},
      {"cost.droplets[].after", "How many there will be"},
      {"cost.unpriced", "What is billed besides; the API has no price for it, so it is in no sum"},
      {"cost.unpriced.volumes_gigabytes", "Volumes, in GiB"},
      {"cost.unpriced.volumes_gigabytes.before", "What there is"},
      {"cost.unpriced.volumes_gigabytes.after", "What there will be"},
      {"cost.unpriced.reserved_ips", "Reserved IPs"},
      {"cost.unpriced.reserved_ips.before", "How many there are"},
      {"cost.unpriced.reserved_ips.after", "How many there will be"},
      {"cost.unpriced.machine_images_gigabytes", "Machine images of the stack, in GB"},
      {"cost.unknown",
       "Droplets and volumes that are counted although the lockfile does not know them"},
      {"cost.unavailable", "Why the prices could not be read; empty: they were"},
      {"warnings", "What should be known and no step mends"},
      {"unreached",
       "Servers that could not be looked at: whether they are as the stack says is "
       "unknown"},
  };
  return members;
}

}  // namespace paas::report
