// An engine's images: listing, building, exporting and loading them.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "docker/call.hpp"
#include "docker/engine.hpp"
#include "docker/image_archive.hpp"
#include "docker/reference.hpp"
#include "docker/sha256.hpp"
#include "docker/streams.hpp"
#include "docker/tar.hpp"

namespace paas::docker {
namespace {

ImageInfo read_image(const nlohmann::json& value) {
  ImageInfo image;
  image.id = text_of(member(value, "Id"));
  for (auto& tag : texts_of(member(value, "RepoTags"))) {
    if (tag != "<none>:<none>") image.tags.push_back(std::move(tag));
  }
  image.layers = texts_of(member(member(value, "RootFS"), "Layers"));
  image.labels = labels_of(member(member(value, "Config"), "Labels"));
  image.size_bytes = static_cast<std::uint64_t>(integer_of(member(value, "Size")));
  image.created = text_of(member(value, "Created"));
  image.architecture = text_of(member(value, "Architecture"));
  return image;
}

/// As the Engine API describes authentication: JSON in the URL-safe form of base64.
Result<Secret> header_of(const RegistryLogin& login) {
  // The name under which Docker's own client keeps the login for Docker Hub.
  const auto address = login.host == "docker.io" ? "https://index.docker.io/v1/" : login.host;
  PAAS_TRY(const auto text, dump({{"username", login.username},
                                  {"password", login.password.reveal()},
                                  {"serveraddress", address}}));
  auto encoded = text::base64_encode(text);
  std::replace(encoded.begin(), encoded.end(), '+', '-');
  std::replace(encoded.begin(), encoded.end(), '/', '_');
  return Secret(std::move(encoded));
}

std::string image_path(const std::string& reference, const char* rest) {
  return "/images/" + encode_path(reference) + rest;
}

}  // namespace

Result<std::vector<std::string>> Engine::image_ids() {
  PAAS_TRY(const auto list, fetch({.path = "/images/json"}));
  if (!list.is_array()) {
    return fail(explain(make_error(ErrorKind::failed, "the list of images is not a list")));
  }
  std::vector<std::string> ids;
  for (const auto& entry : list) ids.push_back(text_of(member(entry, "Id")));
  return ids;
}

Result<std::vector<ImageInfo>> Engine::images() {
  PAAS_TRY(const auto ids, image_ids());
  std::vector<ImageInfo> images;
  for (const auto& id : ids) {
    // The list lacks the layers. An image that went away meanwhile is left out.
    auto image = inspect_image(id);
    if (!image && image.error().kind == ErrorKind::not_found) continue;
    if (!image) return fail(std::move(image.error()));
    images.push_back(std::move(*image));
  }
  return images;
}

Result<nlohmann::json> Engine::inspect_image_json(const std::string& reference) {
  return fetch({.path = image_path(reference, "/json")});
}

Result<ImageInfo> Engine::inspect_image(const std::string& reference) {
  PAAS_TRY(const auto value, inspect_image_json(reference));
  return read_image(value);
}

Status Engine::tag_image(const std::string& source, const std::string& name,
                         const std::string& tag) {
  PAAS_TRY([[maybe_unused]] const auto response, send({.method = "POST",
                                                       .path = image_path(source, "/tag"),
                                                       .query = {{"repo", name}, {"tag", tag}}}));
  return {};
}

Status Engine::remove_image(const std::string& reference) {
  PAAS_TRY([[maybe_unused]] const auto response,
           send({.method = "DELETE", .path = image_path(reference, ""), .timeout = unlimited}));
  return {};
}

Status Engine::pull_image(const std::string& reference, const OnText& on_progress,
                          const std::optional<RegistryLogin>& login) {
  Messages messages(on_progress);
  const auto [name, tag] = split_reference(reference);
  Call call{.method = "POST", .path = "/images/create", .query = {{"fromImage", name}}};
  if (!tag.empty()) call.query.emplace_back("tag", tag);
  if (login) {
    PAAS_TRY(call.registry_login, header_of(*login));
  }
  call.on_body = [&](std::string_view part) { return messages.feed(part); };
  call.timeout = unlimited;
  PAAS_TRY([[maybe_unused]] const auto response, send(call));
  if (auto done = messages.finish(); !done) return fail(explain(std::move(done.error())));
  return {};
}

Status Engine::save_image(const std::string& reference,
                          const std::function<Status(std::string_view)>& sink) {
  PAAS_TRY([[maybe_unused]] const auto response,
           send({.path = image_path(reference, "/get"), .on_body = sink, .timeout = unlimited}));
  return {};
}

Status Engine::load_image(std::function<Result<std::string>(std::size_t)> source,
                          std::optional<std::uint64_t> length) {
  Messages messages({});
  PAAS_TRY([[maybe_unused]] const auto response,
           send({.method = "POST",
                 .path = "/images/load",
                 .query = {{"quiet", "1"}},
                 .source = std::move(source),
                 .length = length,
                 .on_body = [&](std::string_view part) { return messages.feed(part); },
                 .timeout = unlimited}));
  if (auto done = messages.finish(); !done) return fail(explain(std::move(done.error())));
  return {};
}

Result<std::string> Engine::config_digest(const std::string& reference) {
  PAAS_TRY(const auto image, inspect_image(reference));
  PAAS_TRY(const auto containerd_store, has_containerd_store());
  if (!containerd_store) return image.id;
  // Only the archive tells: its manifest names the configuration, whose place in the archive is not
  // known before.
  std::string manifest;
  std::map<std::string, std::string> digests;
  std::string current;
  Sha256 hash;
  const auto finish = [&] {
    if (!current.empty()) digests[std::exchange(current, {})] = std::exchange(hash, {}).finish();
  };
  tar::Scanner scanner(
      [&](const tar::Member& member) -> Status {
        finish();
        if (member.entry.kind == tar::Kind::file) current = member.entry.path;
        return {};
      },
      [&](const tar::Member& member, std::string_view part) -> Status {
        hash.feed(part);
        if (member.entry.path == "manifest.json") manifest += part;
        return {};
      });
  PAAS_CHECK(save_image(image.id, [&](std::string_view part) { return scanner.feed(part); }));
  finish();
  const auto parsed = parse_image_manifest(manifest);
  if (!parsed) return fail(explain(parsed.error()));
  const auto found = digests.find(parsed->config);
  if (found == digests.end()) {
    return fail(
        explain(make_error(ErrorKind::failed, "an exported image lacks its configuration")));
  }
  return found->second;
}

Result<std::string> Engine::build_image(const BuildOptions& options,
                                        std::function<Result<std::string>(std::size_t)> context,
                                        const OnText& on_output) {
  Messages messages(on_output);
  Call call{.method = "POST", .path = "/build"};
  call.query = {{"dockerfile", options.dockerfile}, {"rm", "1"}, {"forcerm", "1"}};
  if (!options.tag.empty()) call.query.emplace_back("t", options.tag);
  if (!options.target.empty()) call.query.emplace_back("target", options.target);
  if (!options.platform.empty()) call.query.emplace_back("platform", options.platform);
  if (options.cache == BuildCache::ignore) call.query.emplace_back("nocache", "1");
  if (!options.args.empty()) {
    PAAS_TRY(auto arguments, dump(options.args));
    call.query.emplace_back("buildargs", std::move(arguments));
  }
  if (!options.labels.empty()) {
    PAAS_TRY(auto labels, dump(options.labels));
    call.query.emplace_back("labels", std::move(labels));
  }
  call.source = std::move(context);
  call.on_body = [&](std::string_view part) { return messages.feed(part); };
  call.timeout = unlimited;
  PAAS_TRY([[maybe_unused]] const auto response, send(call));
  if (auto done = messages.finish(); !done) return fail(explain(std::move(done.error())));
  if (!messages.image_id().empty()) return messages.image_id();
  if (options.tag.empty()) {
    return fail(explain(make_error(ErrorKind::failed, "the build ended without an image")));
  }
  PAAS_TRY(const auto image, inspect_image(options.tag));
  return image.id;
}

}  // namespace paas::docker
