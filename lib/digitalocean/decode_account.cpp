// Reads what is the account's and the catalogue's out of the API's objects: limits, keys, regions,
// images, domains, projects, registry credentials.
#include "digitalocean/decode.hpp"
#include "digitalocean/reader.hpp"

namespace paas::digitalocean {

using nlohmann::json;

Result<Account> decode_account(const json& item) {
  Reader reader(item, "account");
  Account account;
  account.droplet_limit = reader.small("droplet_limit");
  account.email = reader.text("email");
  account.status = reader.required_text("status");
  account.owner = reader.inside("team").text("uuid");
  if (account.owner.empty()) account.owner = reader.text("uuid");
  return reader.finish(std::move(account));
}

Result<Region> decode_region(const json& item) {
  Reader reader(item, "region");
  Region region;
  region.slug = reader.required_text("slug");
  region.name = reader.text("name");
  region.available = reader.flag("available");
  region.sizes = reader.texts("sizes");
  return reader.finish(std::move(region));
}

Result<Size> decode_size(const json& item) {
  Reader reader(item, "size");
  Size size;
  size.slug = reader.required_text("slug");
  size.memory_megabytes = reader.small("memory");
  size.vcpus = reader.small("vcpus");
  size.disk_gigabytes = reader.small("disk");
  size.price_monthly_dollars = reader.number("price_monthly");
  size.price_hourly_dollars = reader.number("price_hourly");
  size.available = reader.flag("available");
  size.regions = reader.texts("regions");
  return reader.finish(std::move(size));
}

Result<SshKey> decode_ssh_key(const json& item) {
  Reader reader(item, "SSH key");
  SshKey key;
  key.id = reader.required_integer("id");
  key.fingerprint = reader.text("fingerprint");
  key.public_key = reader.text("public_key");
  key.name = reader.text("name");
  return reader.finish(std::move(key));
}

Result<Image> decode_image(const json& item) {
  Reader reader(item, "image");
  Image image;
  image.id = reader.required_integer("id");
  // Custom images that failed to import may have none.
  image.name = reader.text("name");
  image.type = reader.text("type");
  image.distribution = reader.text("distribution");
  image.slug = reader.text("slug");
  image.is_public = reader.flag("public");
  image.regions = reader.texts("regions");
  image.min_disk_gigabytes = reader.small("min_disk_size");
  image.size_gigabytes = reader.number("size_gigabytes");
  image.status = reader.text("status");
  image.tags = reader.texts("tags");
  image.created_at = reader.text("created_at");
  return reader.finish(std::move(image));
}

Result<Domain> decode_domain(const json& item) {
  Reader reader(item, "domain");
  Domain domain;
  domain.name = reader.required_text("name");
  domain.ttl_seconds = reader.small_if_any("ttl");
  return reader.finish(std::move(domain));
}

Result<DomainRecord> decode_domain_record(const json& item) {
  Reader reader(item, "domain record");
  DomainRecord record;
  record.id = reader.required_integer("id");
  record.spec.type = reader.required_text("type");
  record.spec.name = reader.text("name");
  record.spec.data = reader.text("data");
  record.spec.ttl_seconds = reader.small_if_any("ttl");
  record.spec.priority = reader.small_if_any("priority");
  record.spec.port = reader.small_if_any("port");
  record.spec.weight = reader.small_if_any("weight");
  record.spec.flags = reader.small_if_any("flags");
  record.spec.tag = reader.text("tag");
  return reader.finish(std::move(record));
}

Result<Project> decode_project(const json& item) {
  Reader reader(item, "project");
  Project project;
  project.id = reader.required_text("id");
  project.name = reader.required_text("name");
  project.purpose = reader.text("purpose");
  project.environment = reader.text("environment");
  project.is_default = reader.flag("is_default");
  return reader.finish(std::move(project));
}

Result<ProjectResource> decode_project_resource(const json& item) {
  Reader reader(item, "project resource");
  ProjectResource resource;
  resource.urn = reader.required_text("urn");
  resource.status = reader.required_text("status");
  return reader.finish(std::move(resource));
}

/// The whole answer, which is a configuration file of Docker's: {"auths": {HOST: {"auth":
/// BASE64}}}.
Result<std::vector<RegistryCredentials>> decode_docker_credentials(const json& body) {
  std::vector<RegistryCredentials> all;
  const auto auths = body.is_object() ? body.find("auths") : body.end();
  if (auths != body.end() && auths->is_object()) {
    for (const auto& [host, entry] : auths->items()) {
      Reader reader(entry, "registry credential");
      PAAS_TRY(auto auth, reader.finish(reader.required_text("auth")));
      all.push_back({host, Secret(std::move(auth))});
    }
  }
  if (!all.empty()) return all;
  return fail(ErrorKind::unreachable, "the API's answer has no registry credentials");
}

}  // namespace paas::digitalocean
