// Renders a lockfile without its secrets.
#include "report/state.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lockfile/passwords.hpp"
#include "lockfile/resources.hpp"
#include "report/style.hpp"

namespace paas::report {

namespace {

using nlohmann::ordered_json;

std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

std::string detail_of(const lockfile::Lockfile& lockfile, const lockfile::Known& known) {
  if (known.kind == "network") return lockfile.vpc_range;
  if (known.kind == "volume") {
    const auto& volume = lockfile.volumes.at(known.name);
    return fmt::format("{} GiB in {}", volume.size_gigabytes, volume.region);
  }
  if (known.kind != "server") return "";
  const auto& server = lockfile.servers.at(known.name);
  auto text = fmt::format("{} {}", or_dash(server.public_address), or_dash(server.private_address));
  if (server.release > 0) text += fmt::format(", r{}", server.release);
  if (!server.prepared) text += ", not prepared";
  if (server.warm) text += ", warm";
  if (server.leaving) text += ", leaving";
  return text;
}

/// "*** of app", and how far its rotation is: "*** of app, rotation to app_b set".
std::string password_of(const lockfile::Service& service) {
  std::vector<std::string> parts;
  if (!service.password.empty()) {
    parts.push_back(
        fmt::format("{}{}", service.password, service.user.empty() ? "" : " of " + service.user));
  }
  if (const auto& rotation = service.rotation) {
    parts.push_back(fmt::format("rotation{} {}",
                                rotation->user.empty() ? "" : " to " + rotation->user,
                                lockfile::to_text(rotation->state)));
  }
  return or_dash(fmt::format("{}", fmt::join(parts, ", ")));
}

ordered_json rotation_json(const lockfile::Service& service) {
  if (!service.rotation) return nullptr;
  return {{"state", lockfile::to_text(service.rotation->state)}, {"user", service.rotation->user}};
}

std::string services_table(const lockfile::Lockfile& lockfile) {
  std::vector<std::vector<std::string>> rows = {
      {"SERVICE", "SERVERS", "NEXT", "SLOTS", "PORT", "RELEASE", "PASSWORD"}};
  for (const auto& [name, service] : lockfile.services) {
    rows.push_back(
        {name, std::to_string(service.count), std::to_string(service.next_number),
         or_dash(fmt::format("{}", fmt::join(service.slots, " "))),
         service.internal_port ? std::to_string(*service.internal_port) : "-",
         service.releases.empty() ? "-" : fmt::format("r{}", service.releases.back().number),
         password_of(service)});
  }
  return table(rows);
}

ordered_json service_json(const std::string& name, const lockfile::Service& service) {
  const auto* release = service.releases.empty() ? nullptr : &service.releases.back();
  return {{"name", name},
          {"count", service.count},
          {"next_number", service.next_number},
          {"slots", service.slots},
          {"internal_port", service.internal_port.value_or(0)},
          {"release", release == nullptr ? 0 : release->number},
          {"image_digest", release == nullptr ? "" : release->image_digest},
          {"password", service.password.empty() ? "" : fmt::format("{}", service.password)},
          {"password_user", service.user},
          {"password_rotated", service.password_rotated},
          {"rotation", rotation_json(service)}};
}

ordered_json server_json(const std::string& name, const lockfile::Server& server) {
  return {{"name", name},
          {"service", server.service},
          {"number", server.number},
          {"droplet_id", server.droplet.id},
          {"public_address", server.public_address},
          {"private_address", server.private_address},
          {"host_key", server.host_key},
          {"size", server.size},
          {"region", server.region},
          {"image", server.image},
          {"prepared", server.prepared},
          {"release", server.release},
          {"slot", server.slot},
          {"weight", server.weight ? ordered_json(*server.weight) : ordered_json()},
          {"warm", server.warm},
          {"leaving", server.leaving},
          {"holds_data", server.holds_data},
          {"created", server.created}};
}

}  // namespace

std::string state_text(const lockfile::Lockfile& lockfile, Color color) {
  auto text = fmt::format("Lineage {}, serial {}\n", paint(lockfile.lineage, Tone::strong, color),
                          lockfile.serial);
  if (lockfile.applied) {
    text += fmt::format("Stack {} in {}\n", lockfile.applied->name, lockfile.applied->region);
  }
  if (!lockfile.cloud_url.empty()) {
    text +=
        fmt::format("Cloud {}, account {}\n", lockfile.cloud_url, or_dash(lockfile.cloud_account));
  }
  if (!lockfile.services.empty()) text += "\n" + services_table(lockfile);
  const auto all = lockfile::known_resources(lockfile);
  if (all.empty()) return text + "\nIt knows nothing in the cloud.\n";
  std::vector<std::vector<std::string>> rows = {{"RESOURCE", "ID", "DETAIL"}};
  for (const auto& known : all) {
    rows.push_back({lockfile::address_of(known), known.id.empty() ? "intended" : known.id,
                    detail_of(lockfile, known)});
  }
  return text + "\n" + table(rows);
}

std::string state_json(const lockfile::Lockfile& lockfile) {
  ordered_json document;
  document["format_version"] = 1;
  document["lineage"] = lockfile.lineage;
  document["serial"] = lockfile.serial;
  document["paasctl_version"] = lockfile.paasctl_version;
  document["stack"] = lockfile.applied ? lockfile.applied->name : "";
  document["region"] = lockfile.applied ? lockfile.applied->region : "";
  document["cloud"] = {{"url", lockfile.cloud_url}, {"account", lockfile.cloud_account}};
  document["services"] = ordered_json::array();
  for (const auto& [name, service] : lockfile.services) {
    document["services"].push_back(service_json(name, service));
  }
  document["resources"] = ordered_json::array();
  for (const auto& known : lockfile::known_resources(lockfile)) {
    document["resources"].push_back({{"address", lockfile::address_of(known)},
                                     {"kind", known.kind},
                                     {"name", known.name},
                                     {"id", known.id}});
  }
  document["servers"] = ordered_json::array();
  for (const auto& [name, server] : lockfile.servers) {
    document["servers"].push_back(server_json(name, server));
  }
  document["volumes"] = ordered_json::array();
  for (const auto& [name, volume] : lockfile.volumes) {
    document["volumes"].push_back({{"name", name},
                                   {"service", volume.service},
                                   {"id", volume.volume.id},
                                   {"size_gigabytes", volume.size_gigabytes},
                                   {"region", volume.region}});
  }
  return document.dump(2) + "\n";
}

std::string verification_text(const plan::Verification& verification) {
  std::vector<std::vector<std::string>> rows = {{"RESOURCE", "ID", "STATE", "DETAIL"}};
  for (const auto& [resource, condition, detail] : verification.findings) {
    rows.push_back(
        {lockfile::address_of(resource), or_dash(resource.id), plan::to_text(condition), detail});
  }
  auto text = table(rows);
  if (verification.orphans.empty()) return text;
  rows = {{"ORPHAN", "ID", "REMOVABLE", "DETAIL"}};
  for (const auto& orphan : verification.orphans) {
    rows.push_back({fmt::format("{}/{}", orphan.kind, orphan.name), orphan.id,
                    orphan.removable ? "yes" : "no", orphan.detail});
  }
  return text + "\n" + table(rows);
}

std::string verification_json(const std::string& stack, const plan::Verification& verification) {
  ordered_json document;
  document["format_version"] = 1;
  document["stack"] = stack;
  document["holds"] = verification.holds();
  document["resources"] = ordered_json::array();
  for (const auto& [resource, condition, detail] : verification.findings) {
    document["resources"].push_back({{"address", lockfile::address_of(resource)},
                                     {"kind", resource.kind},
                                     {"name", resource.name},
                                     {"id", resource.id},
                                     {"condition", plan::to_text(condition)},
                                     {"detail", detail}});
  }
  document["orphans"] = ordered_json::array();
  for (const auto& orphan : verification.orphans) {
    document["orphans"].push_back({{"kind", orphan.kind},
                                   {"name", orphan.name},
                                   {"id", orphan.id},
                                   {"removable", orphan.removable},
                                   {"may_hold_data", orphan.may_hold_data},
                                   {"detail", orphan.detail}});
  }
  return document.dump(2) + "\n";
}

}  // namespace paas::report
