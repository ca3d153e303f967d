// Operations on images and snapshots.
#include "digitalocean/client.hpp"
#include "digitalocean/operations.hpp"

namespace paas::digitalocean {

Result<std::vector<Snapshot>> Client::droplet_snapshots() {
  return doing(list_of(*transport_, {"/v2/snapshots", "resource_type=droplet", "snapshots", "id"},
                       decode_snapshot),
               "listing snapshots");
}

Result<Snapshot> Client::snapshot(const std::string& id) {
  PAAS_CHECK(check_given(id, "snapshot identifier"));
  return doing(send_for(*transport_, {"GET", "/v2/snapshots/" + escaped(id), {}}, "snapshot",
                        decode_snapshot),
               "reading snapshot " + id);
}

Status Client::delete_snapshot(const std::string& id) {
  PAAS_CHECK(check_given(id, "snapshot identifier"));
  return doing(send_deletion(*transport_, "/v2/snapshots/" + escaped(id)),
               "deleting snapshot " + id);
}

Result<std::vector<Image>> Client::images(Images which) {
  const auto* query = which == Images::own ? "private=true" : "type=distribution";
  return doing(list_of(*transport_, {"/v2/images", query, "images", "id"}, decode_image),
               "listing images");
}

Result<Image> Client::image(const std::string& id_or_slug) {
  PAAS_CHECK(check_given(id_or_slug, "image identifier"));
  return doing(send_for(*transport_, {"GET", "/v2/images/" + escaped(id_or_slug), {}}, "image",
                        decode_image),
               "reading image " + id_or_slug);
}

Result<Image> Client::rename_image(const std::string& id, const std::string& name) {
  PAAS_CHECK(check_given(id, "image identifier"));
  const Call call{"PUT", "/v2/images/" + escaped(id), {{"name", name}}};
  return doing(send_for(*transport_, call, "image", decode_image), "renaming image " + id);
}

Status Client::delete_image(const std::string& id) {
  PAAS_CHECK(check_given(id, "image identifier"));
  return doing(send_deletion(*transport_, "/v2/images/" + escaped(id)), "deleting image " + id);
}

}  // namespace paas::digitalocean
