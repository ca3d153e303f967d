// Whole lists out of pages that may shift while they are read.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "digitalocean/transport.hpp"

namespace paas::digitalocean {

struct Listing {
  std::string path;      ///< "/v2/droplets"
  std::string query;     ///< Escaped, without "?": "tag_name=x"; may be empty.
  std::string key;       ///< Of the list in the answer: "droplets".
  std::string identity;  ///< Member that tells the items apart: "id", "slug", "ip".
};

/// Every item once, 200 a page, the pages after the first side by side. A list of several pages, or
/// one whose total does not fit, is read until two walks in a row found the same items; when they
/// never do, that is unreachable and not a short list.
Result<std::vector<nlohmann::json>> read_all(Transport& transport, const Listing& listing);

}  // namespace paas::digitalocean
