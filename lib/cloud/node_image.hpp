// The Docker image that a fresh droplet is made of; made here from Debian's packages when it is
// missing.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "docker/engine.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"

namespace paas::cloud {

enum class NodeFlavour {
  bare,  ///< What a fresh Debian droplet has.
  full,  ///< Docker Engine and HAProxy besides, as a snapshot would have them.
};

struct NodeImageOptions {
  NodeFlavour flavour = NodeFlavour::bare;
  std::string docker_host;  ///< For the recipe's docker: "unix:///run/docker.sock"
  std::string folder;       ///< Where the recipe may be put while it runs.
  std::function<void(std::string_view line)> on_progress;
};

/// "paasctl-node:bare-0123456789ab": a changed recipe is another image.
std::string node_image_name(NodeFlavour flavour);

/// Makes the image unless the engine has it, which takes minutes, and returns its name. Errors:
/// failed with the recipe's last lines; not_found when bash is missing; interrupted.
Result<std::string> ensure_node_image(docker::Engine& engine, Processes& processes, Files& files,
                                      const NodeImageOptions& options);

}  // namespace paas::cloud
