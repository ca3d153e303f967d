// Reads the command line: which command is named, with which options and words.
#pragma once

#include "program.hpp"

namespace paas::cli {

/// Has CLI11 read it and sets the program's action. What follows the first `--` reaches a command
/// of `Program::verbatim` as it was written. Throws CLI::ParseError, also for --help and --version.
void read_command_line(Program& program, int argc, const char* const* argv);

}  // namespace paas::cli
