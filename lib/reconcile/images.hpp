// The stack's images on this machine's engine: what is there, what needs a build, one archive for
// all servers.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "docker/buildkit.hpp"
#include "docker/engine.hpp"
#include "docker/image_transfer.hpp"
#include "plan/make.hpp"
#include "ports/environment.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"
#include "stack/model.hpp"

namespace paas::reconcile {

/// "paas-zipkick-web"
std::string repository_of(const std::string& stack, const std::string& image);

/// What it means for a survey that no engine answers.
enum class WithoutEngine {
  fail,
  assume_unbuilt,  ///< For a plan of a stack that was never applied: it builds all images anyway.
};

/// What images are built and kept with.
struct ImageTools {
  docker::Engine& engine;
  Files& files;
  Processes& processes;
  Environment& environment;
};

class Images {
 public:
  /// `folder` is where the stack file lies: contexts are relative to it. `scratch` holds archives
  /// while they are built from or sent.
  Images(const ImageTools& tools, std::string folder, std::string scratch);
  ~Images();
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;

  /// What is known of each image that a service uses. An engine that does not answer is an error
  /// only when a stack builds images. `lockfile` knows the digests of images that servers pull.
  Result<std::map<std::string, plan::ImageState>> survey(
      const stack::Stack& stack, const lockfile::Lockfile& lockfile,
      WithoutEngine without_engine = WithoutEngine::fail);
  /// Whether one image can be built as it is declared: its secrets are there, and so is a builder
  /// that takes them. Errors: not_found (no such image or secret), failed (the builder).
  Status check_build(const stack::Stack& stack, const std::string& name);
  /// Builds and tags one image, with BuildKit where it can be had; the new state. In git its commit
  /// is a label and another tag.
  Result<plan::ImageState> build(const stack::Stack& stack, const std::string& name,
                                 const docker::OnText& on_output);
  /// A secret that the stack file names, as read_secret() finds it.
  Result<Secret> secret(const stack::SecretSource& source);
  /// Builds of this run do every step anew.
  void ignore_cache() { cache_ = docker::BuildCache::ignore; }
  /// The archive of an image, exported once.
  Result<std::shared_ptr<const docker::SavedImage>> archive(const std::string& reference);

 private:
  Result<std::string> digest_of_sources(const stack::ImageSource& source);
  std::string context_folder(const stack::ImageSource& source) const;
  Result<std::vector<docker::BuildSecret>> secrets_of(const stack::ImageSource& source);
  Status run_build(docker::BuildOptions options, const stack::ImageSource& source,
                   const std::string& name, const docker::OnText& on_output);

  struct Archive {
    std::mutex mutex;
    std::shared_ptr<const docker::SavedImage> image;
  };

  docker::Engine& engine_;
  Files& files_;
  Processes& processes_;
  Environment& environment_;
  docker::BuildCache cache_ = docker::BuildCache::use;
  std::string folder_;
  std::string scratch_;
  std::mutex mutex_;
  std::map<std::string, Archive> archives_;  ///< By reference.
};

}  // namespace paas::reconcile
