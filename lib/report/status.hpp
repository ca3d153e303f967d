// The state of a stack for people and for programs.
#pragma once

#include <string>

#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "report/plan_text.hpp"
#include "stack/model.hpp"

namespace paas::report {

enum class Detail { normal, wide, names };

/// A table of servers: name, service, status, container, rotation, addresses. Servers are sorted by
/// service, then number.
std::string servers_text(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const observe::Observed& observed, Detail detail, Color color);
std::string servers_json(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const observe::Observed& observed);

/// The stack's address, services with counts and releases, volumes, then the servers.
std::string status_text(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                        const observe::Observed& observed, Detail detail, Color color);
std::string status_json(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                        const observe::Observed& observed);

}  // namespace paas::report
