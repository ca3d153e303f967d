// Which API a stack's cloud is, and the token for it.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "program.hpp"
#include "stack/model.hpp"

namespace paas::cli {

struct Endpoint {
  std::string url;
  Secret token;
  /// What the lockfile remembers: the same for the same cloud although a port may change.
  std::string identity;
};

/// DigitalOcean: DIGITALOCEAN_API_URL, and the token from DIGITALOCEAN_ACCESS_TOKEN or
/// DIGITALOCEAN_TOKEN. Local: the local cloud, started when it does not run.
Result<Endpoint> endpoint_for(Program& program, stack::CloudKind cloud);

}  // namespace paas::cli
