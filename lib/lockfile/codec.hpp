// The lockfile as JSON text, its secrets sealed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "lockfile/seal.hpp"

namespace paas::lockfile {

/// Two-space indented JSON with a fixed order of keys, so that it diffs well. Secrets are sealed
/// with their JSON path as associated data; an unchanged secret keeps its sealed text (`previous`
/// is the text that was read, if any).
Result<std::string> encode(const Lockfile& lockfile, const Key& key, Random& random,
                           std::string_view previous);

/// Errors (invalid): not JSON, a version that is newer than this program, a field of a wrong type,
/// a missing field (message names the path), a secret that the key does not open (hint says where
/// the key is looked for).
Result<Lockfile> decode(std::string_view text, const Key& key);

/// The names of the servers, without the key: for completion. Empty when the text cannot be read.
std::vector<std::string> server_names(std::string_view text);

/// The lineage alone, to find the key before decode().
Result<std::string> lineage_of(std::string_view text);

}  // namespace paas::lockfile
