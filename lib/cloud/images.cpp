// Answers /v2/images and /v2/snapshots: distributions, and what was made of droplets.
#include <algorithm>

#include "base/text.hpp"
#include "cloud/action_list.hpp"
#include "cloud/catalogue.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

std::vector<const Image*> shown_images(const State& state) {
  return select(state.images, [](const Image& image) { return !image.pending && !image.leaving; });
}

Image* find_image_text(State& state, const std::string& identifier) {
  return find_image(state, text::to_integer(identifier).value_or(0));
}

Result<Reply> list(Turn& turn, const Call& call) {
  const auto type = call.query("type");
  const auto tag = call.query("tag_name");
  const bool only_own = call.query("private") == "true" || !tag.empty();
  std::vector<Json> views;
  if (!only_own && type != "application") {
    for (const auto& entry : catalogue::distributions()) views.push_back(view::distribution(entry));
  }
  if (type.empty()) {
    for (const auto* image : shown_images(turn.state)) {
      if (tag.empty() || contains(image->tags, tag)) views.push_back(view::image(*image));
    }
  }
  std::vector<const Json*> items;
  for (const auto& item : views) items.push_back(&item);
  return list_reply(call, "images", items, [](const Json& item) { return item; });
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto& identifier = call.arguments[0];
  const auto id = text::to_integer(identifier).value_or(0);
  for (const auto& entry : catalogue::distributions()) {
    if (entry.id == id || entry.slug == identifier) {
      return Reply{200, {{"image", view::distribution(entry)}}};
    }
  }
  const auto* image = find_image(turn.state, id);
  if (image == nullptr) return not_found();
  return Reply{200, {{"image", view::image(*image)}}};
}

Result<Reply> update(Turn& turn, const Call& call) {
  auto* image = find_image_text(turn.state, call.arguments[0]);
  if (image == nullptr) return not_found();
  PAAS_TRY(const auto name, text_field(call.body, "name"));
  PAAS_TRY(const auto description, text_field(call.body, "description"));
  if (name && name->empty()) return invalid("Name can't be blank");
  if (name) image->name = *name;
  if (description) image->description = *description;
  return Reply{200, {{"image", view::image(*image)}}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  auto* image = find_image_text(turn.state, call.arguments[0]);
  if (image == nullptr) {
    const auto id = text::to_integer(call.arguments[0]).value_or(0);
    if (catalogue::find_distribution(id) != nullptr) {
      return fail(ErrorKind::unauthorised, "You do not have access for the attempted action.");
    }
    return not_found();
  }
  image->leaving = true;
  for (auto& [id, droplet] : turn.state.droplets) {
    auto& snapshots = droplet.snapshot_ids;
    snapshots.erase(std::remove(snapshots.begin(), snapshots.end(), image->id), snapshots.end());
  }
  release_images(turn);
  return Reply{204, {}};
}

Result<Reply> list_actions(Turn& turn, const Call& call) {
  const auto* image = find_image_text(turn.state, call.arguments[0]);
  if (image == nullptr) return not_found();
  return actions_reply(turn.state, call, [&](const Action& action) {
    return action.resource_type == "image" && action.resource_id == image->id;
  });
}

Result<Reply> list_snapshots(Turn& turn, const Call& call) {
  std::vector<const Image*> images;
  // Snapshots of volumes are not offered, so there are none.
  if (call.query("resource_type") != "volume") images = shown_images(turn.state);
  return list_reply(call, "snapshots", images, view::snapshot);
}

Result<Reply> get_snapshot(Turn& turn, const Call& call) {
  const auto* image = find_image_text(turn.state, call.arguments[0]);
  if (image == nullptr) return not_found();
  return Reply{200, {{"snapshot", view::snapshot(*image)}}};
}

}  // namespace

std::string machine_image_of(const State& state, Id image_id) {
  if (catalogue::find_distribution(image_id) != nullptr) return state.settings.machine_image;
  const auto found = state.images.find(image_id);
  return found == state.images.end() ? std::string() : found->second.machine_image;
}

void release_images(Turn& turn) {
  auto& images = turn.state.images;
  for (auto entry = images.begin(); entry != images.end();) {
    const auto& droplets = turn.state.droplets;
    const bool used = std::any_of(droplets.begin(), droplets.end(), [&](const auto& droplet) {
      return droplet.second.image_id == entry->first;
    });
    if (!entry->second.leaving || used) {
      ++entry;
      continue;
    }
    emit(turn, RemoveMachineImage{entry->second.machine_image});
    entry = images.erase(entry);
  }
}

std::vector<ApiRoute> image_routes() {
  return {{"GET", "/v2/images", list},
          {"GET", "/v2/images/{}", get},
          {"PUT", "/v2/images/{}", update},
          {"DELETE", "/v2/images/{}", remove},
          {"GET", "/v2/images/{}/actions", list_actions},
          {"GET", "/v2/snapshots", list_snapshots},
          {"GET", "/v2/snapshots/{}", get_snapshot},
          {"DELETE", "/v2/snapshots/{}", remove}};
}

}  // namespace paas::cloud
