// Handing an image to an engine that may already have some of its layers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "docker/engine.hpp"
#include "ports/files.hpp"

namespace paas::docker {

struct ImageArchive;

/// An image saved once to a file and indexed, so that each server is sent only what it lacks.
class SavedImage {
 public:
  /// Exports `reference` from `engine` into `file` (replaced) and reads its index.
  static Result<SavedImage> save(Engine& engine, Files& files, const std::string& reference,
                                 const std::string& file);
  /// Reads the index of an archive that exists. Error (invalid): not an image archive.
  static Result<SavedImage> open(Files& files, const std::string& file);

  const std::string& config_digest() const;        ///< "sha256:..."
  const std::vector<std::string>& layers() const;  ///< Diff ids, lowest first.
  const std::vector<std::string>& tags() const;
  std::uint64_t size_bytes() const;

  /// The image's configuration, a JSON text.
  const std::string& configuration() const;

  struct Upload {
    std::function<Result<std::string>(std::size_t)> source;
    std::uint64_t length_bytes = 0;
    int layers_sent = 0;
    int layers_skipped = 0;
  };
  /// The archive without the layers whose chain the target has (FACTS.md: the classic store finds
  /// them by their chain). `present` holds the chains of diff ids joined by "," that the target's
  /// images contain.
  Upload upload(const std::set<std::string>& present) const;

 private:
  explicit SavedImage(std::shared_ptr<const ImageArchive> archive) : archive_(std::move(archive)) {}

  std::shared_ptr<const ImageArchive> archive_;  ///< Shared with uploads, which may outlive this.
};

/// The layer chains of all images of an engine, for SavedImage::upload.
Result<std::set<std::string>> present_chains(Engine& engine);

/// Sends the image unless it is there, only the layers that are missing; falls back to the whole
/// archive where the engine refuses. `on_progress` gets bytes sent and bytes to send. Returns
/// whether anything was sent.
Result<bool> hand_over(Engine& target, const SavedImage& image,
                       const std::function<void(std::uint64_t, std::uint64_t)>& on_progress);

}  // namespace paas::docker
