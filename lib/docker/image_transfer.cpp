// Saving images, and handing them to engines without the layers that are there.
#include "docker/image_transfer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "docker/call.hpp"
#include "docker/image_archive.hpp"
#include "docker/reference.hpp"

namespace paas::docker {
namespace {

constexpr std::size_t write_bytes = 4U << 20U;
constexpr std::size_t read_bytes = 1U << 20U;

/// Parts of a file one after another, and then the archive's end.
class RangesSource {
 public:
  struct Range {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
  };

  RangesSource(std::shared_ptr<const ImageArchive> archive, std::vector<Range> ranges)
      : archive_(std::move(archive)), ranges_(std::move(ranges)) {}

  std::uint64_t length_bytes() const {
    std::uint64_t total = tar::end().size();
    for (const auto& range : ranges_) total += range.end - range.start;
    return total;
  }

  Result<std::string> next(std::size_t capacity) {
    if (given_ == ready_.size()) PAAS_CHECK(fill());
    auto part = ready_.substr(given_, capacity);
    given_ += part.size();
    return part;
  }

 private:
  Status fill() {
    ready_.clear();
    given_ = 0;
    if (current_ == ranges_.size()) {
      if (!ended_) ready_ = tar::end();
      ended_ = true;
      return {};
    }
    auto& range = ranges_[current_];
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(read_bytes, range.end - range.start));
    PAAS_TRY(ready_, archive_->files->read_range(archive_->file, range.start, length));
    if (ready_.size() != length) {
      return fail(ErrorKind::failed, archive_->file + " became shorter while it was being sent");
    }
    range.start += length;
    if (range.start == range.end) ++current_;
    return {};
  }

  std::shared_ptr<const ImageArchive> archive_;
  std::vector<Range> ranges_;
  std::size_t current_ = 0;
  std::string ready_;
  std::size_t given_ = 0;
  bool ended_ = false;
};

void add_chains(const std::vector<std::string>& layers, std::set<std::string>& chains) {
  std::string chain;
  for (const auto& layer : layers) {
    chain += (chain.empty() ? "" : ",") + layer;
    chains.insert(chain);
  }
}

/// A configuration without its empty fields, which engines write or leave out as they like.
nlohmann::json without_empty(const nlohmann::json& value) {
  auto result = nlohmann::json::object();
  if (!value.is_object()) return result;
  for (const auto& [key, item] : value.items()) {
    const bool unset =
        item.is_null() || item == false || item == "" || (item.is_structured() && item.empty());
    if (!unset) result[key] = item;
  }
  return result;
}

/// Whether an image in containerd's store, which is known by another digest, is the same: the same
/// layers made at the same time with the same settings. A false no costs an upload that was not
/// needed.
bool same_image(const nlohmann::json& inspected, const SavedImage& image) {
  const auto config = nlohmann::json::parse(image.configuration(), nullptr, false);
  return texts_of(member(member(inspected, "RootFS"), "Layers")) == image.layers() &&
         text_of(member(inspected, "Created")) == text_of(member(config, "created")) &&
         without_empty(member(inspected, "Config")) == without_empty(member(config, "config"));
}

/// Whether the target has the image under all its tags, which are set where only they are missing.
Result<bool> is_there(Engine& target, const SavedImage& image) {
  const auto found = target.inspect_image(image.config_digest());
  if (!found && found.error().kind != ErrorKind::not_found) return fail(found.error());
  if (found) {
    for (const auto& tag : image.tags()) {
      if (std::find(found->tags.begin(), found->tags.end(), tag) != found->tags.end()) continue;
      const auto [name, version] = split_reference(tag);
      PAAS_CHECK(target.tag_image(image.config_digest(), name, version));
    }
    return true;
  }
  PAAS_TRY(const auto containerd_store, target.has_containerd_store());
  if (!containerd_store || image.tags().empty()) return false;
  for (const auto& tag : image.tags()) {
    const auto inspected = target.inspect_image_json(tag);
    if (!inspected && inspected.error().kind == ErrorKind::not_found) return false;
    if (!inspected) return fail(inspected.error());
    if (!same_image(*inspected, image)) return false;
  }
  return true;
}

using OnProgress = std::function<void(std::uint64_t, std::uint64_t)>;

/// Loads one archive and looks whether the image came out of it.
Status load(Engine& target, const SavedImage& image, SavedImage::Upload upload,
            const OnProgress& on_progress) {
  const auto total = upload.length_bytes;
  std::uint64_t sent = 0;
  if (on_progress) on_progress(0, total);
  PAAS_CHECK(target.load_image(
      [&](std::size_t capacity) -> Result<std::string> {
        auto part = upload.source(capacity);
        if (part) sent += part->size();
        if (part && !part->empty() && on_progress) on_progress(sent, total);
        return part;
      },
      total));
  PAAS_TRY(const bool there, is_there(target, image));
  if (there) return {};
  // Without a tag, containerd's store offers no way to find it again.
  PAAS_TRY(const auto containerd_store, target.has_containerd_store());
  if (containerd_store && image.tags().empty()) return {};
  return fail(ErrorKind::failed, fmt::format("{} took the archive of {} but does not have it",
                                             target.name(), image.config_digest()));
}

}  // namespace

Result<SavedImage> SavedImage::save(Engine& engine, Files& files, const std::string& reference,
                                    const std::string& file) {
  // A name without a tag would export the images of all its tags.
  PAAS_TRY(const auto info, engine.inspect_image(reference));
  auto exported = reference;
  const auto [name, tag] = split_reference(reference);
  const auto whole = name + ":" + tag;
  if (std::find(info.tags.begin(), info.tags.end(), whole) != info.tags.end()) exported = whole;

  const auto partial = file + ".part";
  PAAS_CHECK(files.remove(partial));
  std::string waiting;
  const auto flush = [&]() -> Status {
    if (waiting.empty()) return {};
    return files.append(partial, std::exchange(waiting, {}));
  };
  auto saved = engine.save_image(exported, [&](std::string_view part) -> Status {
    waiting.append(part);
    return waiting.size() < write_bytes ? Status{} : flush();
  });
  if (saved) saved = flush();
  if (saved) saved = files.rename(partial, file);
  if (!saved) {
    [[maybe_unused]] const auto removed = files.remove(partial);
    return fail(std::move(saved.error()), "saving the image " + reference);
  }
  return open(files, file);
}

Result<SavedImage> SavedImage::open(Files& files, const std::string& file) {
  auto archive = read_image_archive(files, file);
  if (!archive) return fail(std::move(archive.error()), file);
  return SavedImage(std::make_shared<const ImageArchive>(std::move(*archive)));
}

const std::string& SavedImage::config_digest() const { return archive_->config_digest; }
const std::vector<std::string>& SavedImage::layers() const { return archive_->layers; }
const std::vector<std::string>& SavedImage::tags() const { return archive_->tags; }
std::uint64_t SavedImage::size_bytes() const { return archive_->size_bytes; }
const std::string& SavedImage::configuration() const { return archive_->configuration; }

SavedImage::Upload SavedImage::upload(const std::set<std::string>& present) const {
  Upload upload;
  std::set<std::string> layer_paths;
  std::set<std::string> needed;
  std::string chain;
  for (std::size_t i = 0; i < archive_->layers.size(); ++i) {
    chain += (chain.empty() ? "" : ",") + archive_->layers[i];
    const auto& [path, resolved] = archive_->layer_files[i];
    layer_paths.insert({path, resolved});
    if (present.count(chain) == 0) {
      // What a needed link leads to is needed, although the layer of its own may be there.
      needed.insert({path, resolved});
      ++upload.layers_sent;
    } else {
      ++upload.layers_skipped;
    }
  }
  std::vector<RangesSource::Range> ranges;
  for (const auto& member : archive_->members) {
    const auto& path = member.entry.path;
    if (layer_paths.count(path) != 0 && needed.count(path) == 0) continue;
    if (!ranges.empty() && ranges.back().end == member.start) {
      ranges.back().end = member.end;
    } else {
      ranges.push_back({member.start, member.end});
    }
  }
  auto source = std::make_shared<RangesSource>(archive_, std::move(ranges));
  upload.length_bytes = source->length_bytes();
  upload.source = [source](std::size_t capacity) { return source->next(capacity); };
  return upload;
}

Result<std::set<std::string>> present_chains(Engine& engine) {
  PAAS_TRY(const auto images, engine.images());
  std::set<std::string> chains;
  for (const auto& image : images) add_chains(image.layers, chains);
  return chains;
}

Result<bool> hand_over(Engine& target, const SavedImage& image, const OnProgress& on_progress) {
  PAAS_TRY(const bool there, is_there(target, image));
  if (there) return false;
  // Containerd's store takes an archive only with all its blobs.
  PAAS_TRY(const auto containerd_store, target.has_containerd_store());
  std::set<std::string> present;
  if (!containerd_store) {
    PAAS_TRY(present, present_chains(target));
  }
  auto upload = image.upload(present);
  const bool whole = upload.layers_skipped == 0;
  auto loaded = load(target, image, std::move(upload), on_progress);
  const bool refused = !loaded && (loaded.error().kind == ErrorKind::failed ||
                                   loaded.error().kind == ErrorKind::not_found);
  if (refused && !whole) loaded = load(target, image, image.upload({}), on_progress);
  if (!loaded) return fail(std::move(loaded.error()), "handing over an image");
  return true;
}

}  // namespace paas::docker
