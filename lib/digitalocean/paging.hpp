// Whole lists out of pages that may shift while they are read.
#pragma once

#include <functional>
#include <memory>
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
  Client::Reading reading = Client::Reading::sure;
};

/// Makes a value of an item, so that no page's JSON is kept longer than it is looked at.
using DecodeItem = std::function<Result<std::shared_ptr<void>>(const nlohmann::json& item)>;

/// Every item once, 200 a page, the pages after the first side by side, eight at a time. A list of
/// several pages, or one whose total does not fit, is read until two walks in a row found the same
/// items; when they never do, that is unreachable and not a short list. With Reading::quick one
/// walk is enough whose pages fit together, and with Reading::glance any.
Result<std::vector<std::shared_ptr<void>>> read_all(Transport& transport, const Listing& listing,
                                                    const DecodeItem& decode);

}  // namespace paas::digitalocean
