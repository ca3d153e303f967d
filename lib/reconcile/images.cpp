// Finds built images by the digest of their sources, and builds those that are missing.
#include "reconcile/images.hpp"

#include <fmt/format.h>

#include "docker/build_context.hpp"
#include "lockfile/seal.hpp"
#include "reconcile/image_names.hpp"
#include "reconcile/secret_source.hpp"

namespace paas::reconcile {

namespace {

/// The digest that a pulled image had when it was last put on a server.
std::optional<std::string> pulled_digest(const lockfile::Lockfile& lockfile,
                                         const std::string& reference) {
  for (const auto& [name, service] : lockfile.services) {
    for (auto release = service.releases.rbegin(); release != service.releases.rend(); ++release) {
      if (release->image_name == reference) return release->image_digest;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string repository_of(const std::string& stack, const std::string& image) {
  return fmt::format("paas-{}-{}", stack, image);
}

std::string reference_of(const std::string& stack, const std::string& image,
                         const std::string& sources) {
  return fmt::format("{}:{}", repository_of(stack, image), sources.substr(0, 12));
}

Images::Images(const ImageTools& tools, std::string folder, std::string scratch)
    : engine_(tools.engine),
      files_(tools.files),
      processes_(tools.processes),
      environment_(tools.environment),
      folder_(std::move(folder)),
      scratch_(std::move(scratch)) {}

Images::~Images() {
  if (!archives_.empty()) (void)files_.remove_tree(scratch_);
}

std::string Images::context_folder(const stack::ImageSource& source) const {
  return path_beside(folder_, source.context);
}

/// Context, Dockerfile, stage, arguments, platform and the names of secrets together: what a build
/// depends on, as far as this machine can tell. Other secrets make no other image.
Result<std::string> Images::digest_of_sources(const stack::ImageSource& source) {
  const auto folder = context_folder(source);
  const auto dockerfile = source.dockerfile.empty() ? "Dockerfile" : source.dockerfile;
  PAAS_TRY(auto entries, docker::list_context(files_, folder, dockerfile));
  PAAS_TRY(auto context, docker::context_digest(files_, folder, entries));
  auto text = fmt::format("{}\n{}\n{}\n", context, dockerfile, source.target);
  for (const auto& [name, value] : source.args) text += fmt::format("{}={}\n", name, value);
  if (!source.platform.empty()) text += fmt::format("platform {}\n", source.platform);
  for (const auto& [id, secret] : source.secrets) text += fmt::format("secret {}\n", id);
  return lockfile::sha256_hex(text);
}

Result<std::map<std::string, plan::ImageState>> Images::survey(const stack::Stack& stack,
                                                               const lockfile::Lockfile& lockfile,
                                                               WithoutEngine without_engine) {
  std::map<std::string, plan::ImageState> states;
  std::vector<docker::ImageInfo> present;
  for (const auto& [name, source] : stack.images) {
    if (source.context.empty()) continue;
    auto images = engine_.images();
    const bool assumed = !images && images.error().kind == ErrorKind::unreachable &&
                         without_engine == WithoutEngine::assume_unbuilt;
    if (!images && !assumed) return fail(images.error());
    if (images) present = std::move(*images);
    break;
  }
  for (const auto& [name, source] : stack.images) {
    auto& state = states[name];
    if (source.context.empty()) {
      state.reference = source.pull;
      state.digest = pulled_digest(lockfile, source.pull);
      state.pulled = true;
      continue;
    }
    auto sources = digest_of_sources(source);
    if (!sources) return fail(sources.error(), fmt::format("image {}", name));
    state.reference = reference_of(stack.name, name, *sources);
    state.needs_build = true;
    state.cause = "it was never built here";
    for (const auto& image : present) {
      const auto label = image.labels.find(sources_label);
      if (label == image.labels.end()) continue;
      bool tagged = false;
      for (const auto& tag : image.tags) {
        if (tag == state.reference) tagged = true;
        if (tag.starts_with(repository_of(stack.name, name) + ":")) {
          state.cause = "its build context changed";
        }
      }
      if (!tagged || label->second != *sources) continue;
      PAAS_TRY(state.digest, engine_.config_digest(state.reference));
      state.needs_build = false;
    }
    if (!state.needs_build) state.cause.clear();
  }
  return states;
}

Result<std::shared_ptr<const docker::SavedImage>> Images::archive(const std::string& reference) {
  Archive* archive = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    archive = &archives_[reference];
  }
  const std::scoped_lock lock(archive->mutex);
  if (archive->image) return archive->image;
  PAAS_CHECK(files_.make_directories(scratch_, 0700));
  const auto file =
      fmt::format("{}/{}.tar", scratch_, lockfile::sha256_hex(reference).substr(0, 16));
  auto saved = docker::SavedImage::save(engine_, files_, reference, file);
  if (!saved) return fail(saved.error(), fmt::format("exporting image {}", reference));
  archive->image = std::make_shared<const docker::SavedImage>(std::move(*saved));
  return archive->image;
}

}  // namespace paas::reconcile
