// Operations on droplets and their actions.
#include <fmt/format.h>

#include <algorithm>

#include "digitalocean/client.hpp"
#include "digitalocean/encode.hpp"
#include "digitalocean/operations.hpp"

namespace paas::digitalocean {
namespace {

std::string path_of(std::int64_t droplet) { return fmt::format("/v2/droplets/{}", droplet); }

Error not_asked_for(const Droplet& droplet) {
  return make_error(ErrorKind::unreachable,
                    fmt::format("the API's answer has droplet {} ({}), which nobody asked for",
                                droplet.name, droplet.id));
}

}  // namespace

Result<std::vector<Droplet>> Client::droplets_by_tag(const std::string& tag, Reading reading) {
  // Without a tag the list would be everybody's.
  PAAS_CHECK(check_given(tag, "tag"));
  return doing(
      list_of(*transport_, {"/v2/droplets", "tag_name=" + escaped(tag), "droplets", "id", reading},
              decode_droplet),
      "listing droplets tagged " + tag);
}

Result<std::vector<Droplet>> Client::droplets_by_name(const std::string& name) {
  PAAS_CHECK(check_given(name, "droplet name"));
  auto droplets = list_of(*transport_, {"/v2/droplets", "name=" + escaped(name), "droplets", "id"},
                          decode_droplet);
  // The API's filter ignores case.
  if (droplets) std::erase_if(*droplets, [&](const Droplet& d) { return d.name != name; });
  return doing(std::move(droplets), "looking for droplet " + name);
}

Result<Droplet> Client::droplet(std::int64_t id) {
  auto droplet = send_for(*transport_, {"GET", path_of(id), {}}, "droplet", decode_droplet);
  if (droplet && droplet->id != id) droplet = fail(not_asked_for(*droplet));
  return doing(std::move(droplet), fmt::format("reading droplet {}", id));
}

Result<Droplet> Client::create_droplet(const DropletRequest& request) {
  const Call call{"POST", "/v2/droplets", encode_droplet(request)};
  auto droplet = send_for(*transport_, call, "droplet", decode_droplet);
  if (droplet && droplet->name != request.name) droplet = fail(not_asked_for(*droplet));
  return doing(std::move(droplet), "creating droplet " + request.name);
}

Result<std::vector<Droplet>> Client::create_droplets(const DropletRequest& request,
                                                     const std::vector<std::string>& names) {
  const auto what = fmt::format("creating droplets {}", fmt::join(names, ", "));
  if (names.empty() || names.size() > droplets_a_request_max) {
    return fail(ErrorKind::invalid,
                fmt::format("{} droplets cannot be created with one request", names.size()));
  }
  const Call call{"POST", "/v2/droplets", encode_droplet(request, names)};
  auto droplets = send_for_list(*transport_, call, "droplets", decode_droplet);
  if (!droplets) return fail(std::move(droplets.error()), what);
  for (const auto& droplet : *droplets) {
    if (std::find(names.begin(), names.end(), droplet.name) != names.end()) continue;
    return fail(not_asked_for(droplet), what);
  }
  return droplets;
}

Status Client::delete_droplet(std::int64_t id) {
  return doing(send_deletion(*transport_, path_of(id)), fmt::format("deleting droplet {}", id));
}

Result<Action> Client::droplet_action(std::int64_t id, const std::string& type) {
  const Call call{"POST", path_of(id) + "/actions", {{"type", type}}};
  return doing(send_for(*transport_, call, "action", decode_action),
               fmt::format("asking for {} of droplet {}", type, id));
}

Result<Action> Client::snapshot_droplet(std::int64_t id, const std::string& snapshot_name) {
  const Call call{
      "POST", path_of(id) + "/actions", {{"type", "snapshot"}, {"name", snapshot_name}}};
  return doing(send_for(*transport_, call, "action", decode_action),
               fmt::format("asking for a snapshot of droplet {}", id));
}

Result<Action> Client::rename_droplet(std::int64_t id, const std::string& name) {
  const Call call{"POST", path_of(id) + "/actions", {{"type", "rename"}, {"name", name}}};
  return doing(send_for(*transport_, call, "action", decode_action),
               fmt::format("renaming droplet {} to {}", id, name));
}

Result<Action> Client::action(std::int64_t id) {
  return doing(send_for(*transport_, {"GET", fmt::format("/v2/actions/{}", id), {}}, "action",
                        decode_action),
               fmt::format("reading action {}", id));
}

Result<std::vector<Action>> Client::newest_actions(int count) {
  const auto path =
      fmt::format("/v2/actions?page=1&per_page={}", std::clamp(count, 1, page_size_max));
  return doing(send_for_list(*transport_, {"GET", path, {}}, "actions", decode_action),
               "listing actions");
}

}  // namespace paas::digitalocean
