// The text of --help.
#pragma once

#include <memory>

#include "program.hpp"

namespace paas::cli {

/// Renders help for `program`'s commands: how a command is used, its options and its examples.
std::shared_ptr<CLI::FormatterBase> help_formatter(const Program& program);

/// Names of arguments behind a command: "[OPTIONS] SERVER [COMMAND ...]".
std::string usage_arguments(const Program& program, const CLI::App& command);

/// What --output may be for a command: "text, json or yaml".
std::string output_formats(const Program& program, const CLI::App& command);

}  // namespace paas::cli
