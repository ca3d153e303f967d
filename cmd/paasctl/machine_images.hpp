// `paasctl image ... --snapshot`: machine images of server types at the provider.
#pragma once

#include <set>
#include <string>

#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

/// Makes one from which `up` creates the service's servers.
Result<int> save_machine_image(Program& program, Session& session, const std::string& service);

/// Those of the stack, newest first.
Result<int> list_machine_images(Program& program, Session& session);

/// Removes those of the services after a confirmation, but the newest `keep` of each.
Result<int> remove_machine_images(Program& program, Session& session,
                                  const std::set<std::string>& services, std::size_t keep);

}  // namespace paas::cli
