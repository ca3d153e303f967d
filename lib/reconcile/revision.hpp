// Which commit the files of a folder are.
#pragma once

#include <optional>
#include <string>

#include "ports/process.hpp"

namespace paas::reconcile {

/// The commit that git has checked out around `folder`, as its full digest, with "-dirty" when
/// files in the folder differ from it or are new. Nothing outside of git, before the first commit,
/// and where git is not installed or does not trust the folder.
std::optional<std::string> revision_of(Processes& processes, const std::string& folder);

/// "4f3c2a91b0de" or "4f3c2a91b0de-dirty".
std::string short_revision(const std::string& revision);

}  // namespace paas::reconcile
