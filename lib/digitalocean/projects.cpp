// Operations on projects, and the credentials of the account's registry.
#include <fmt/format.h>

#include "digitalocean/client.hpp"
#include "digitalocean/operations.hpp"

namespace paas::digitalocean {

Result<std::vector<Project>> Client::projects() {
  return doing(list_of(*transport_, {"/v2/projects", "", "projects", "id"}, decode_project),
               "listing projects");
}

Result<Project> Client::default_project() {
  return doing(
      send_for(*transport_, {"GET", "/v2/projects/default", {}}, "project", decode_project),
      "reading the default project");
}

Status Client::assign_to_project(const std::string& project, const std::vector<std::string>& urns) {
  PAAS_CHECK(check_given(project, "project identifier"));
  if (urns.empty()) return {};
  const auto what = "assigning resources to project " + project;
  const Call call{"POST", "/v2/projects/" + escaped(project) + "/resources", {{"resources", urns}}};
  auto assigned = send_for_list(*transport_, call, "resources", decode_project_resource);
  if (!assigned) return fail(std::move(assigned.error()), what);
  for (const auto& resource : *assigned) {
    if (resource.status == "ok" || resource.status == "assigned" ||
        resource.status == "already_assigned") {
      continue;
    }
    const auto kind =
        resource.status == "not_found" ? ErrorKind::not_found : ErrorKind::unreachable;
    return fail(make_error(kind, fmt::format("the API says {}: {}", resource.urn, resource.status)),
                what);
  }
  return {};
}

Result<std::vector<RegistryCredentials>> Client::registry_credentials(std::chrono::seconds lifetime,
                                                                      RegistryAccess access) {
  if (lifetime.count() <= 0) {
    return fail(ErrorKind::invalid, "registry credentials need a time after which they expire");
  }
  const auto path = fmt::format("/v2/registry/docker-credentials?expiry_seconds={}&read_write={}",
                                lifetime.count(), access == RegistryAccess::read_write);
  const auto what = "asking for registry credentials";
  auto body = transport_->send({"GET", path, {}});
  if (!body) return fail(std::move(body.error()), what);
  return doing(decode_docker_credentials(*body), what);
}

}  // namespace paas::digitalocean
