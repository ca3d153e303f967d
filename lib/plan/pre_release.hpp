// A hook that runs once before a new release starts anywhere, in a container of that release.
#pragma once

#include <map>
#include <string>

#include "docker/engine.hpp"
#include "plan/container.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// Where the hook of a service is on the server that runs it.
std::string pre_release_file(const std::string& service);

/// The container that the hook runs in. It has the image, the environment and the links of the
/// release's containers, and neither ports nor a volume. No look takes it for one of them: it lacks
/// the label paas.stack, also where the image brings it. `digest` is that of the hook's text.
docker::ContainerSpec pre_release_container(const stack::Stack& stack,
                                            const stack::Service& service,
                                            const std::string& server_name,
                                            const ContainerPlan& plan,
                                            const std::map<std::string, std::string>& environment,
                                            const std::string& digest);

}  // namespace paas::plan
