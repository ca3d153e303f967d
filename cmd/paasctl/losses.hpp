// Data that a command would destroy: nothing but its name confirms that.
#pragma once

#include <string>
#include <vector>

#include "plan/step.hpp"
#include "program.hpp"

namespace paas::cli {

/// Declares --confirm NAME, which may be given several times.
void add_confirm_option(Program& program, CLI::App& command);

/// Warns of names that --confirm gave and that none of these losses has: a typing error, or data
/// that is gone already.
void warn_of_other_names(Program& program, const std::vector<plan::DataLoss>& losses);

/// Whether the user is there to be asked.
enum class Asking { allowed, never };

/// Whether names were typed on the terminal, which is a stronger answer than any other. Names that
/// --confirm gave are not asked for. `question` is what the command asks anyway without --yes;
/// empty: nothing. Error usage, with the command that would do it, where names lack and nobody can
/// be asked: without a terminal, with --yes, or with Asking::never. Error failed for another name,
/// interrupted for a stop.
Result<bool> confirm_losses(Program& program, const std::vector<plan::DataLoss>& losses,
                            const std::string& question, Asking asking = Asking::allowed);

/// Agreement to what `question` asks and to these losses: whoever typed names was asked enough.
/// Errors: those of confirm_losses() and of confirm().
Status agree(Program& program, const std::string& question,
             const std::vector<plan::DataLoss>& losses);

}  // namespace paas::cli
