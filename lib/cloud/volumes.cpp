// Answers /v2/volumes: block storage that outlives droplets.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cloud/catalogue.hpp"
#include "cloud/routes.hpp"
#include "cloud/tags.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t max_name_length = 64;
constexpr std::int64_t max_size_gigabytes = 16'384;
constexpr std::size_t max_ext4_label = 16;
constexpr std::size_t max_xfs_label = 12;

/// Lower-case letters, digits and dashes, a letter first.
bool is_volume_name(const std::string& name) {
  return !name.empty() && name.size() <= max_name_length &&
         std::islower(static_cast<unsigned char>(name.front())) != 0 &&
         std::all_of(name.begin(), name.end(), [](unsigned char character) {
           return std::islower(character) != 0 || std::isdigit(character) != 0 || character == '-';
         });
}

Status check_filesystem(const Volume& volume) {
  const auto& type = volume.filesystem_type;
  if (!type.empty() && type != "ext4" && type != "xfs") {
    return invalid("filesystem_type must be ext4 or xfs");
  }
  const auto longest = type == "xfs" ? max_xfs_label : max_ext4_label;
  if (volume.filesystem_label.size() > longest) {
    return invalid(fmt::format("filesystem_label is too long (maximum is {} characters)", longest));
  }
  return {};
}

Volume* find_volume(State& state, const std::string& id) {
  const auto found = state.volumes.find(id);
  return found == state.volumes.end() ? nullptr : &found->second;
}

Result<Volume> checked(const State& state, const Json& body) {
  Volume volume;
  PAAS_TRY(const auto name, text_field(body, "name"));
  PAAS_TRY(const auto region, text_field(body, "region"));
  PAAS_TRY(const auto size, number_field(body, "size_gigabytes"));
  PAAS_TRY(const auto description, text_field(body, "description"));
  PAAS_TRY(const auto filesystem_type, text_field(body, "filesystem_type"));
  PAAS_TRY(const auto filesystem_label, text_field(body, "filesystem_label"));
  PAAS_TRY(const auto snapshot_id, text_field(body, "snapshot_id"));
  PAAS_TRY(volume.tags, texts_field(body, "tags"));
  if (snapshot_id && !snapshot_id->empty()) {
    return invalid("Snapshots of volumes are not available on the local cloud.");
  }
  if (!is_volume_name(name.value_or(""))) {
    return invalid(
        "name must be lowercase alphanumeric characters and dashes, begin with a letter and have "
        "64 characters at most");
  }
  if (catalogue::find_region(region.value_or("")) == nullptr) return invalid("invalid region");
  if (!size || *size < 1 || *size > max_size_gigabytes) {
    return invalid(fmt::format("size_gigabytes must be from 1 to {}", max_size_gigabytes));
  }
  volume.name = *name;
  volume.region = *region;
  volume.size_gigabytes = *size;
  volume.description = description.value_or("");
  volume.filesystem_type = filesystem_type.value_or("");
  volume.filesystem_label = filesystem_label.value_or("");
  PAAS_CHECK(check_filesystem(volume));
  PAAS_CHECK(check_tag_names(volume.tags));
  for (const auto& [id, other] : state.volumes) {
    if (other.name == volume.name && other.region == volume.region) {
      return fail(ErrorKind::exists, "volume already exists");
    }
  }
  return volume;
}

Result<Reply> list(Turn& turn, const Call& call) {
  const auto name = call.query("name");
  const auto region = call.query("region");
  return list_reply(call, "volumes",
                    select(turn.state.volumes,
                           [&](const Volume& volume) {
                             return (name.empty() || volume.name == name) &&
                                    (region.empty() || volume.region == region);
                           }),
                    view::volume);
}

Result<Reply> create(Turn& turn, const Call& call) {
  PAAS_TRY(auto volume, checked(turn.state, call.body));
  volume.id = new_uuid(turn.state);
  volume.created = turn.now();
  ensure_tags(turn, volume.tags);
  emit(turn, CreateVolume{volume.id, volume.name, static_cast<int>(volume.size_gigabytes),
                          volume.filesystem_type, volume.filesystem_label});
  const auto& added = turn.state.volumes[volume.id] = volume;
  return Reply{201, {{"volume", view::volume(added)}}};
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto* volume = find_volume(turn.state, call.arguments[0]);
  if (volume == nullptr) return not_found();
  return Reply{200, {{"volume", view::volume(*volume)}}};
}

Result<Reply> remove_volume(Turn& turn, const Volume& volume) {
  if (volume.droplet_id != 0) {
    return fail(ErrorKind::exists, "A volume that is attached to a Droplet cannot be deleted.");
  }
  if (volume.pending_action != 0) {
    return fail(ErrorKind::exists, "The volume has a pending event.");
  }
  emit(turn, RemoveVolume{volume.id});
  turn.state.volumes.erase(std::string(volume.id));
  return Reply{204, {}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  const auto* volume = find_volume(turn.state, call.arguments[0]);
  if (volume == nullptr) return not_found();
  return remove_volume(turn, *volume);
}

Result<Reply> remove_named(Turn& turn, const Call& call) {
  const auto name = call.query("name");
  const auto region = call.query("region");
  if (name.empty() || region.empty()) return invalid("name and region are required");
  for (const auto& [id, volume] : turn.state.volumes) {
    if (volume.name == name && volume.region == region) return remove_volume(turn, volume);
  }
  return not_found();
}

Result<Reply> list_snapshots(Turn& turn, const Call& call) {
  if (find_volume(turn.state, call.arguments[0]) == nullptr) return not_found();
  return list_reply(call, "snapshots", std::vector<const Image*>{}, view::snapshot);
}

Result<Reply> create_snapshot(Turn& turn, const Call& call) {
  if (find_volume(turn.state, call.arguments[0]) == nullptr) return not_found();
  return invalid("Snapshots of volumes are not available on the local cloud.");
}

Result<Reply> get_snapshot(Turn&, const Call&) { return not_found(); }

}  // namespace

std::vector<ApiRoute> volume_routes() {
  return {{"GET", "/v2/volumes", list},
          {"POST", "/v2/volumes", create},
          {"DELETE", "/v2/volumes", remove_named},
          {"GET", "/v2/volumes/{}", get},
          {"DELETE", "/v2/volumes/{}", remove},
          {"GET", "/v2/volumes/snapshots/{}", get_snapshot},
          {"DELETE", "/v2/volumes/snapshots/{}", get_snapshot},
          {"GET", "/v2/volumes/{}/snapshots", list_snapshots},
          {"POST", "/v2/volumes/{}/snapshots", create_snapshot}};
}

}  // namespace paas::cloud
