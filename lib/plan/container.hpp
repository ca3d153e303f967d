// How a service's container is created.
#pragma once

#include <map>
#include <string>

#include "docker/engine.hpp"
#include "lockfile/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// What a container is created with beside image and environment, as a short text for its label: a
/// different text means that it has to be made again.
std::string container_shape(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                            const stack::Service& service);

/// Whether what the service stores is lost with its container: a database without a volume. A cache
/// is made to lose what it has.
bool stores_in_container(const stack::Service& service);

struct ContainerPlan {
  int release = 0;
  int slot = 0;
  std::string image;  ///< What to create it from: an identifier or a reference.
  std::string image_digest;
};

/// The whole specification. `environment` is what environment_of() gave.
docker::ContainerSpec container_of(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                                   const stack::Service& service, const std::string& server_name,
                                   const ContainerPlan& plan,
                                   const std::map<std::string, std::string>& environment);

/// The host port a service's container is published on: a slot for web, the port itself else.
int host_port(const lockfile::Lockfile& lockfile, const stack::Service& service, int slot);

/// "zipkick-web-3": stack, service, release.
std::string container_name(const stack::Stack& stack, const std::string& service, int release);

}  // namespace paas::plan
