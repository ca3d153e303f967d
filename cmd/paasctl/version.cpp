// `paasctl version`
#include <fmt/format.h>

#include "program.hpp"

namespace paas::cli {

namespace {

Result<int> run(Program& program, const NoOptions&) {
  if (program.wants_document()) {
    program.print_document(fmt::format("{{\"version\": \"{}\"}}\n", PAASCTL_VERSION));
  } else {
    program.print(fmt::format("paasctl {}\n", PAASCTL_VERSION));
  }
  return exit_done;
}

}  // namespace

void register_version(Program& program) {
  add_command<NoOptions>(program, program.app, "version", "Print the version", {}, run,
                         "  paasctl version\n  paasctl version -o json", {"json", "yaml"});
}

}  // namespace paas::cli
