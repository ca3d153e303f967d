// Reading the index of an image archive.
#include "docker/image_archive.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "docker/call.hpp"
#include "docker/sha256.hpp"

namespace paas::docker {
namespace {

constexpr std::uint64_t largest_json_bytes = 64U << 20U;
constexpr int most_links = 8;

const tar::Member* find_member(const std::vector<tar::Member>& members, const std::string& path) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const auto& member) { return member.entry.path == path; });
  return found == members.end() ? nullptr : &*found;
}

/// "a/b" + "../c/d" -> "c/d".
std::string relative_to(const std::string& link, const std::string& target) {
  auto parts = text::split(link, '/');
  parts.pop_back();
  for (auto& part : text::split(target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(std::move(part));
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return text::join(parts, "/");
}

Result<std::string> resolve(const std::vector<tar::Member>& members, std::string path) {
  for (int links = 0; links < most_links; ++links) {
    const auto* member = find_member(members, path);
    if (member == nullptr) break;
    if (member->entry.kind == tar::Kind::file) return path;
    if (member->entry.kind == tar::Kind::symlink) {
      path = relative_to(path, member->entry.link);
    } else if (member->entry.kind == tar::Kind::hardlink) {
      path = member->entry.link;
    } else {
      break;
    }
  }
  return fail(ErrorKind::invalid, fmt::format("not an image archive: it lacks {}", path));
}

Result<std::string> read_member(const ImageArchive& archive, const std::string& path) {
  PAAS_TRY(const auto resolved, resolve(archive.members, path));
  const auto* member = find_member(archive.members, resolved);
  const auto size = member->entry.size_bytes;
  if (size > largest_json_bytes) {
    return fail(ErrorKind::invalid, fmt::format("not an image archive: {} is too large", path));
  }
  return archive.files->read_range(archive.file, member->content, static_cast<std::size_t>(size));
}

}  // namespace

Result<ImageManifest> parse_image_manifest(const std::string& text) {
  const auto manifest = nlohmann::json::parse(text, nullptr, false);
  if (!manifest.is_array() || manifest.empty()) {
    return fail(ErrorKind::invalid, "not an image archive: its manifest.json is not a list");
  }
  if (manifest.size() > 1) {
    return fail(ErrorKind::invalid,
                fmt::format("the archive holds {} images instead of one", manifest.size()),
                "save each image into a file of its own");
  }
  ImageManifest result;
  result.config = text_of(member(manifest[0], "Config"));
  result.tags = texts_of(member(manifest[0], "RepoTags"));
  result.layers = texts_of(member(manifest[0], "Layers"));
  if (result.config.empty()) {
    return fail(ErrorKind::invalid, "not an image archive: it names no configuration");
  }
  return result;
}

Result<ImageArchive> read_image_archive(Files& files, const std::string& file) {
  PAAS_TRY(const auto info, files.info(file));
  if (!info) return fail(ErrorKind::not_found, fmt::format("there is no file {}", file));
  ImageArchive archive;
  archive.files = &files;
  archive.file = file;
  archive.size_bytes = info->size_bytes;
  const auto read = [&](std::uint64_t offset, std::size_t length) {
    return files.read_range(file, offset, length);
  };
  PAAS_TRY(archive.members, tar::index(read, info->size_bytes));
  PAAS_TRY(const auto text, read_member(archive, "manifest.json"));
  PAAS_TRY(auto manifest, parse_image_manifest(text));
  PAAS_TRY(archive.configuration, read_member(archive, manifest.config));
  archive.config_digest = sha256(archive.configuration);
  archive.tags = std::move(manifest.tags);
  const auto config = nlohmann::json::parse(archive.configuration, nullptr, false);
  archive.layers = texts_of(member(member(config, "rootfs"), "diff_ids"));
  if (archive.layers.size() != manifest.layers.size()) {
    return fail(ErrorKind::invalid,
                "not an image archive: its layers and its configuration differ");
  }
  for (auto& path : manifest.layers) {
    PAAS_TRY(auto resolved, resolve(archive.members, path));
    archive.layer_files.push_back({std::move(path), std::move(resolved)});
  }
  return archive;
}

}  // namespace paas::docker
