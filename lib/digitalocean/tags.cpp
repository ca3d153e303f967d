// Operations on tags.
#include <fmt/format.h>

#include "digitalocean/client.hpp"
#include "digitalocean/operations.hpp"

namespace paas::digitalocean {
namespace {

std::string path_of(const std::string& tag) { return "/v2/tags/" + escaped(tag); }

nlohmann::json resource(const std::string& id, const char* type) {
  return {{"resource_id", id}, {"resource_type", type}};
}

nlohmann::json resources_of(const std::vector<std::int64_t>& droplets) {
  auto resources = nlohmann::json::array();
  for (const auto id : droplets) resources.push_back(resource(std::to_string(id), "droplet"));
  return {{"resources", std::move(resources)}};
}

}  // namespace

Result<std::vector<Tag>> Client::tags() {
  return doing(list_of(*transport_, {"/v2/tags", "", "tags", "name"}, decode_tag), "listing tags");
}

Status Client::create_tag(const std::string& name) {
  const auto answer = transport_->send({"POST", "/v2/tags", {{"name", name}}});
  if (answer || answer.error().kind == ErrorKind::exists) return {};
  return fail(answer.error(), "creating tag " + name);
}

Status Client::delete_tag(const std::string& name) {
  PAAS_CHECK(check_given(name, "tag"));
  return doing(send_deletion(*transport_, path_of(name)), "deleting tag " + name);
}

Status Client::tag_droplets(const std::string& tag, const std::vector<std::int64_t>& droplets) {
  PAAS_CHECK(check_given(tag, "tag"));
  if (droplets.empty()) return {};
  const auto answer =
      transport_->send({"POST", path_of(tag) + "/resources", resources_of(droplets)});
  if (answer) return {};
  return fail(answer.error(), "tagging droplets with " + tag);
}

Status Client::untag_droplets(const std::string& tag, const std::vector<std::int64_t>& droplets) {
  PAAS_CHECK(check_given(tag, "tag"));
  if (droplets.empty()) return {};
  return doing(send_deletion(*transport_, path_of(tag) + "/resources", resources_of(droplets)),
               "taking tag " + tag + " off droplets");
}

Status Client::tag_volume(const std::string& tag, const std::string& id) {
  PAAS_CHECK(check_given(tag, "tag"));
  auto resources = nlohmann::json::array({resource(id, "volume")});
  const auto answer = transport_->send(
      {"POST", path_of(tag) + "/resources", {{"resources", std::move(resources)}}});
  if (answer) return {};
  return fail(answer.error(), fmt::format("tagging volume {} with {}", id, tag));
}

}  // namespace paas::digitalocean
