// Builds with BuildKit, which an engine offers only in a session of gRPC: Docker's command line
// program holds that session.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "docker/engine.hpp"
#include "ports/environment.hpp"
#include "ports/process.hpp"

namespace paas::docker {

/// What RUN --mount=type=secret,id=ID reads: an environment variable of this process, or a file.
struct BuildSecret {
  std::string id;
  std::string env;
  std::string file;  ///< Read when `env` is empty.
  Secret value;      ///< What the build's output must not show.
};

/// Whether builds can go through BuildKit: `docker` is there, brings BuildKit's client (built in
/// before version 23, the plugin buildx from then on), and DOCKER_BUILDKIT is not 0. Error
/// (not_found): why not.
Status check_buildkit(Processes& processes, Environment& environment);

struct BuildKitBuild {
  BuildOptions options;
  std::vector<BuildSecret> secrets;
  std::string context_file;  ///< A tar archive.
};

/// Builds and tags on the engine at `socket`. `on_output` gets the lines of the build, with *** in
/// the place of secrets. Error (failed): the build failed; its last lines are in the hint.
Status build_with_buildkit(Processes& processes, const std::string& socket,
                           const BuildKitBuild& build, const OnText& on_output);

}  // namespace paas::docker
