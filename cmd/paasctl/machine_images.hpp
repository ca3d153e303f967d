// `paasctl image ... --snapshot`: machine images of server types at the provider.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

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

/// Whether what is too much is removed, or only looked up.
enum class Removal { carried_out, looked_up };

/// Machine images beyond those that the stack file keeps of each service, or of the one that is
/// named; none where it keeps all.
Result<std::vector<digitalocean::Snapshot>> remove_surplus_machine_images(
    Session& session, const std::optional<std::string>& service, Removal removal);

}  // namespace paas::cli
