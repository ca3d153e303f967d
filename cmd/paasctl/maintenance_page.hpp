// The maintenance page beside the stack file.
#pragma once

#include "program.hpp"
#include "stack/model.hpp"

namespace paas::cli {

/// Puts the text of the file that lb.maintenance.page names, relative to the folder of the stack
/// file, into the stack. Error (invalid) with a line of the stack file: it cannot be read, or is no
/// page.
Status read_maintenance_page(Program& program, const std::string& stack_path, stack::Stack& stack);

}  // namespace paas::cli
