// The stack's images on this machine's engine: what is there, what needs a build, one archive for
// all servers.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "docker/engine.hpp"
#include "docker/image_transfer.hpp"
#include "plan/make.hpp"
#include "ports/files.hpp"
#include "stack/model.hpp"

namespace paas::reconcile {

/// "paas-zipkick-web"
std::string repository_of(const std::string& stack, const std::string& image);

/// What it means for a survey that no engine answers.
enum class WithoutEngine {
  fail,
  assume_unbuilt,  ///< For a plan of a stack that was never applied: it builds all images anyway.
};

class Images {
 public:
  /// `folder` is where the stack file lies: contexts are relative to it. `scratch` holds archives
  /// while they are sent.
  Images(docker::Engine& engine, Files& files, std::string folder, std::string scratch);
  ~Images();
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;

  /// What is known of each image that a service uses. An engine that does not answer is an error
  /// only when a stack builds images. `lockfile` knows the digests of images that servers pull.
  Result<std::map<std::string, plan::ImageState>> survey(
      const stack::Stack& stack, const lockfile::Lockfile& lockfile,
      WithoutEngine without_engine = WithoutEngine::fail);
  /// Builds and tags one image; the new state.
  Result<plan::ImageState> build(const stack::Stack& stack, const std::string& name,
                                 const docker::OnText& on_output);
  /// The archive of an image, exported once.
  Result<std::shared_ptr<const docker::SavedImage>> archive(const std::string& reference);

 private:
  Result<std::string> digest_of_sources(const stack::ImageSource& source);
  std::string context_folder(const stack::ImageSource& source) const;

  struct Archive {
    std::mutex mutex;
    std::shared_ptr<const docker::SavedImage> image;
  };

  docker::Engine& engine_;
  Files& files_;
  std::string folder_;
  std::string scratch_;
  std::mutex mutex_;
  std::map<std::string, Archive> archives_;  ///< By reference.
};

}  // namespace paas::reconcile
