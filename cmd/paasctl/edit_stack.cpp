// The stack file's text is edited, checked and replaced as a whole.
#include "edit_stack.hpp"

#include <fmt/format.h>

#include "stack/parse.hpp"

namespace paas::cli {

Result<int> edit_stack(Program& program, const std::string& command, Apply apply,
                       const std::function<Result<std::string>(std::string_view)>& edit) {
  const auto& path = program.globals.file;
  // Opening the session first refuses a file that is wrong already.
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  PAAS_TRY(const auto text, program.ports.files.read(path));
  PAAS_TRY(const auto edited, edit(text));
  PAAS_TRY(session->stack, stack::parse_or_fail(edited, path));
  PAAS_TRY(const auto info, program.ports.files.info(path));
  PAAS_CHECK(program.ports.files.write_atomically(path, edited, info ? info->mode : 0644));
  if (apply == Apply::no) {
    program.say(fmt::format("{} is changed; `paasctl up` applies it.", path));
    return exit_done;
  }
  Change change;
  change.command = command;
  return apply_change(program, *session, change);
}

}  // namespace paas::cli
