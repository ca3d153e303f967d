// Tags: names that resources share.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/turn.hpp"

namespace paas::cloud {

/// Error (invalid) when a name has characters that tags may not have.
Status check_tag_names(const std::vector<std::string>& names);

/// Makes the tags that do not exist yet, as DigitalOcean does when a resource is created with them.
void ensure_tags(Turn& turn, const std::vector<std::string>& names);

}  // namespace paas::cloud
