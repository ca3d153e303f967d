// What the commands of `paasctl state` share.
#pragma once

#include "program.hpp"

namespace paas::cli {

// Each in a file of that name.
void register_state_key(Program& program, CLI::App& group);
void register_state_verify(Program& program, CLI::App& group);
void register_state_rebuild(Program& program, CLI::App& group);
void register_state_import(Program& program, CLI::App& group);

}  // namespace paas::cli
