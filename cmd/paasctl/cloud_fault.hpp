// `paasctl cloud fault`: a bad day for the local cloud.
#pragma once

#include "program.hpp"

namespace paas::cli {

/// Below `group`, which is `paasctl cloud`.
void register_cloud_fault(Program& program, CLI::App& group);

}  // namespace paas::cli
