// Operations on volumes.
#include <fmt/format.h>

#include "digitalocean/client.hpp"
#include "digitalocean/operations.hpp"

namespace paas::digitalocean {
namespace {

std::string path_of(const std::string& volume) { return "/v2/volumes/" + escaped(volume); }

Result<Action> act(Transport& transport, const std::string& id, nlohmann::json body,
                   const std::string& what) {
  PAAS_CHECK(check_given(id, "volume identifier"));
  const Call call{"POST", path_of(id) + "/actions", std::move(body)};
  return doing(send_for(transport, call, "action", decode_action), what);
}

}  // namespace

Result<std::vector<Volume>> Client::volumes(const std::string& region) {
  const auto query = region.empty() ? "" : "region=" + escaped(region);
  return doing(list_of(*transport_, {"/v2/volumes", query, "volumes", "id"}, decode_volume),
               "listing volumes");
}

Result<std::vector<Volume>> Client::volumes_by_name(const std::string& name,
                                                    const std::string& region) {
  PAAS_CHECK(check_given(name, "volume name"));
  const auto query = fmt::format("name={}&region={}", escaped(name), escaped(region));
  auto volumes = list_of(*transport_, {"/v2/volumes", query, "volumes", "id"}, decode_volume);
  if (volumes) std::erase_if(*volumes, [&](const Volume& v) { return v.name != name; });
  return doing(std::move(volumes), "looking for volume " + name);
}

Result<Volume> Client::create_volume(const std::string& name, const std::string& region,
                                     int size_gigabytes, const std::vector<std::string>& tags) {
  nlohmann::json body = {{"name", name}, {"region", region}, {"size_gigabytes", size_gigabytes}};
  if (!tags.empty()) body["tags"] = tags;
  const Call call{"POST", "/v2/volumes", std::move(body)};
  return doing(send_for(*transport_, call, "volume", decode_volume), "creating volume " + name);
}

Result<Action> Client::attach_volume(const std::string& id, std::int64_t droplet,
                                     const std::string& region) {
  return act(*transport_, id, {{"type", "attach"}, {"droplet_id", droplet}, {"region", region}},
             fmt::format("attaching volume {} to droplet {}", id, droplet));
}

Result<Action> Client::detach_volume(const std::string& id, std::int64_t droplet,
                                     const std::string& region) {
  return act(*transport_, id, {{"type", "detach"}, {"droplet_id", droplet}, {"region", region}},
             fmt::format("detaching volume {} from droplet {}", id, droplet));
}

Result<Action> Client::resize_volume(const std::string& id, int size_gigabytes,
                                     const std::string& region) {
  return act(*transport_, id,
             {{"type", "resize"}, {"size_gigabytes", size_gigabytes}, {"region", region}},
             fmt::format("resizing volume {} to {} GiB", id, size_gigabytes));
}

Status Client::delete_volume(const std::string& id) {
  PAAS_CHECK(check_given(id, "volume identifier"));
  return doing(send_deletion(*transport_, path_of(id)), "deleting volume " + id);
}

}  // namespace paas::digitalocean
