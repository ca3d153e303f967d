// The index of an image archive: where its configuration and its layers are in the file.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "docker/tar.hpp"
#include "ports/files.hpp"

namespace paas::docker {

/// Either form has a manifest.json: engines up to 24 write ID/layer.tar and DIGEST.json (a layer
/// that occurs twice is a link the second time), newer ones the OCI layout with
/// blobs/sha256/DIGEST.
struct ImageArchive {
  Files* files = nullptr;
  std::string file;
  std::uint64_t size_bytes = 0;
  std::vector<tar::Member> members;
  std::string configuration;
  std::string config_digest;
  std::vector<std::string> layers;  ///< Diff ids, lowest first.
  std::vector<std::string> tags;
  struct LayerFile {
    std::string path;      ///< As the manifest names it.
    std::string resolved;  ///< Where its bytes are, after links.
  };
  std::vector<LayerFile> layer_files;  ///< As many as layers.
};

/// Error (invalid): not an archive of one image.
Result<ImageArchive> read_image_archive(Files& files, const std::string& file);

/// What manifest.json says.
struct ImageManifest {
  std::string config;  ///< The configuration's path in the archive.
  std::vector<std::string> tags;
  std::vector<std::string> layers;  ///< Paths in the archive.
};

/// Error (invalid): not the manifest of one image.
Result<ImageManifest> parse_image_manifest(const std::string& text);

}  // namespace paas::docker
