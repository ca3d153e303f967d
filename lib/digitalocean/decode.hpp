// The API's JSON as values; an answer without what is needed is unreachable ("unknown"), never an
// empty value.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "digitalocean/model.hpp"

namespace paas::digitalocean {

Result<Account> decode_account(const nlohmann::json& item);
Result<Region> decode_region(const nlohmann::json& item);
Result<Size> decode_size(const nlohmann::json& item);
Result<SshKey> decode_ssh_key(const nlohmann::json& item);
Result<Droplet> decode_droplet(const nlohmann::json& item);
Result<Action> decode_action(const nlohmann::json& item);
Result<Snapshot> decode_snapshot(const nlohmann::json& item);
Result<Volume> decode_volume(const nlohmann::json& item);
Result<Firewall> decode_firewall(const nlohmann::json& item);
Result<Vpc> decode_vpc(const nlohmann::json& item);
Result<ReservedIp> decode_reserved_ip(const nlohmann::json& item);
Result<Tag> decode_tag(const nlohmann::json& item);
Result<Image> decode_image(const nlohmann::json& item);
Result<Domain> decode_domain(const nlohmann::json& item);
Result<DomainRecord> decode_domain_record(const nlohmann::json& item);
Result<Project> decode_project(const nlohmann::json& item);
Result<ProjectResource> decode_project_resource(const nlohmann::json& item);
Result<std::vector<RegistryCredentials>> decode_docker_credentials(const nlohmann::json& body);

/// The member of that name, decoded: {"droplet": {...}}.
template <typename T>
Result<T> decode_member(const nlohmann::json& body, const char* key,
                        Result<T> (*decode)(const nlohmann::json&)) {
  if (body.is_object() && body.contains(key)) return decode(body.at(key));
  return fail(ErrorKind::unreachable, std::string("the API's answer has no \"") + key + "\"");
}

/// Of a vector of JSON values, or of a JSON array.
template <typename T, typename Items>
Result<std::vector<T>> decode_items(const Items& items,
                                    Result<T> (*decode)(const nlohmann::json&)) {
  std::vector<T> values;
  values.reserve(items.size());
  for (const auto& item : items) {
    PAAS_TRY(auto value, decode(item));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace paas::digitalocean
