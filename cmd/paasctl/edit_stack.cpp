// The stack file's text is edited, checked and replaced as a whole.
#include "edit_stack.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "change.hpp"
#include "maintenance_page.hpp"
#include "stack/parse.hpp"

namespace paas::cli {

namespace {

/// The file itself when `path` is a link to it: the link stays one.
Result<std::string> file_behind(const std::string& path) {
  std::error_code problem;
  const auto file = std::filesystem::canonical(path, problem);
  if (problem) return fail(ErrorKind::failed, fmt::format("{}: {}", path, problem.message()));
  if (std::filesystem::is_regular_file(file, problem)) return file.string();
  return fail(ErrorKind::invalid, fmt::format("{} is not a file that can be edited", path),
              "copy it into a file, and name that one with --file");
}

/// Another file takes the place of the old one, with its rights and its owner.
Status replace(Program& program, const std::string& file, const std::string& text) {
  struct stat old {};
  if (::stat(file.c_str(), &old) != 0) {
    return fail(ErrorKind::failed, fmt::format("{} cannot be looked at", file));
  }
  PAAS_CHECK(program.ports.files.write_atomically(file, text, old.st_mode & 07777));
  struct stat written {};
  const bool same = ::stat(file.c_str(), &written) == 0 && written.st_uid == old.st_uid &&
                    written.st_gid == old.st_gid;
  if (!same && ::chown(file.c_str(), old.st_uid, old.st_gid) != 0) {
    program.say(fmt::format("warning: {} could not be given back to its owner", file));
  }
  return {};
}

}  // namespace

Result<int> edit_stack(Program& program, const std::string& command, Apply apply,
                       const std::function<Result<std::string>(std::string_view)>& edit) {
  const auto& path = program.globals.file;
  // Opening the session first refuses a file that is wrong already.
  PAAS_TRY(auto session, Session::open(program, apply == Apply::yes ? Need::stack : Need::text));
  // A run that could not apply the change does not make it either.
  if (apply == Apply::yes) PAAS_CHECK(session->acquire(command));
  PAAS_TRY(const auto file, file_behind(path));
  PAAS_TRY(const auto text, program.ports.files.read(file));
  PAAS_TRY(const auto edited, edit(text));
  PAAS_TRY(session->stack, stack::parse_or_fail(edited, path));
  if (apply == Apply::yes) PAAS_CHECK(read_maintenance_page(program, path, session->stack));
  if (edited != text) PAAS_CHECK(replace(program, file, edited));
  if (apply == Apply::no) {
    program.say(fmt::format("{} is changed; `paasctl up` applies it.", path));
    return exit_done;
  }
  Change change;
  change.command = command;
  return apply_change(program, *session, change);
}

}  // namespace paas::cli
