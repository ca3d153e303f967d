// A build context: the folder's files that .dockerignore leaves, as a tar stream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/files.hpp"

namespace paas::docker {

struct ContextEntry {
  std::string path;  ///< Relative, with "/".
  FileInfo info;
};

/// Lists what goes into the context, sorted. .dockerignore as Docker documents it (comments, "!",
/// "**", the Dockerfile and .dockerignore themselves are always sent). Errors (invalid): no such
/// folder, no Dockerfile (hint names the path), a link that leaves the context, a device or socket.
Result<std::vector<ContextEntry>> list_context(Files& files, const std::string& folder,
                                               const std::string& dockerfile);

/// A digest over paths, modes and contents, independent of times and owners: whether a build is
/// needed again.
Result<std::string> context_digest(Files& files, const std::string& folder,
                                   const std::vector<ContextEntry>& entries);

/// Streams the entries as a tar archive (POSIX ustar with pax headers for what does not fit; owner
/// 0, fixed times so that Docker's cache hits).
std::function<Result<std::string>(std::size_t)> context_archive(Files& files, std::string folder,
                                                                std::vector<ContextEntry> entries);

}  // namespace paas::docker
