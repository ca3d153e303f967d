// What help, man pages and completion read out of the declared commands.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace paas::cli {

/// "paasctl server up"
std::string full_name(const CLI::App& command);
/// The commands of a group that are no secret, in the order of the help.
std::vector<const CLI::App*> shown_commands(const CLI::App& command);
std::vector<const CLI::Option*> positionals(const CLI::App& command);
/// What stands for an option's value, such as FILE; empty for a flag.
std::string placeholder(const CLI::Option& option);
/// The values that an option is limited to; empty: not limited.
std::vector<std::string> allowed_values(const CLI::Option& option);
/// "-f, --file FILE"
std::string option_names(const CLI::Option& option);
/// The default worth telling; empty: none.
std::string default_of(const CLI::Option& option);
/// The lines of its examples; those of a group are the first of each of its commands.
std::vector<std::string> examples_of(const CLI::App& command);
/// The innermost command that was named on the command line.
const CLI::App& named_command(const CLI::App& app);

}  // namespace paas::cli
