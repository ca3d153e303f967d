// `paasctl state key`: the key that opens the lockfile's secrets, on its way to another machine.
#include <fmt/format.h>

#include "lockfile/codec.hpp"
#include "session.hpp"
#include "state.hpp"

namespace paas::cli {

namespace {

/// The lockfile's text, whatever key it has.
Result<std::string> read_lockfile(Program& program) {
  const auto path = store_of(program).location();
  auto text = program.ports.files.read(path);
  if (text) return text;
  if (text.error().kind != ErrorKind::not_found) return fail(text.error());
  return fail(ErrorKind::invalid, fmt::format("there is no lockfile {}", path),
              "a key belongs to a lockfile: put that beside the stack file first");
}

Result<std::string> lineage_of(Program& program, const std::string& text) {
  auto lineage = lockfile::lineage_of(text);
  if (lineage) return lineage;
  return fail(lineage.error(), "reading " + store_of(program).location());
}

struct ExportOptions {
  std::string file;
};

/// Never to standard output: a terminal, its scrollback or the log of a build would keep it.
Result<int> export_key(Program& program, const ExportOptions& options) {
  auto& ports = program.ports;
  PAAS_TRY(const auto text, read_lockfile(program));
  PAAS_TRY(const auto lineage, lineage_of(program, text));
  PAAS_TRY(const auto key, lockfile::load_key(ports.files, ports.environment, lineage));
  // A key that opens nothing would be noticed only where it is needed.
  if (const auto opened = lockfile::decode(text, key); !opened) {
    return fail(opened.error(), "reading " + store_of(program).location());
  }
  PAAS_TRY(const auto present, ports.files.info(options.file));
  if (present) {
    return fail(ErrorKind::exists, fmt::format("{} is there already", options.file),
                "nothing was written: name another file, or remove that one");
  }
  PAAS_CHECK(ports.files.write_atomically(options.file, lockfile::key_text(key), 0600));
  program.say(
      "warning: this key opens every secret of the lockfile: hand it on as you would a password, "
      "and never keep it beside the lockfile");
  return exit_done;
}

struct ImportOptions {
  std::string file;
};

/// From standard input or a file: an argument would be seen in the list of processes.
Result<std::string> read_key(Program& program, const ImportOptions& options) {
  auto& ports = program.ports;
  if (!options.file.empty() && options.file != "-") return ports.files.read(options.file);
  if (ports.terminal.input_is_terminal()) {
    return fail(ErrorKind::usage, "the key is read from standard input, and that is a terminal",
                "name the file that `paasctl state key export --to FILE` wrote");
  }
  return ports.terminal.read_line().value_or("");
}

Result<int> import_key(Program& program, const ImportOptions& options) {
  auto& ports = program.ports;
  PAAS_TRY(const auto text, read_lockfile(program));
  PAAS_TRY(const auto lineage, lineage_of(program, text));
  PAAS_TRY(const auto encoded, read_key(program, options));
  PAAS_TRY(const auto key,
           lockfile::parse_key(encoded, options.file.empty() ? "standard input" : options.file));
  if (const auto opened = lockfile::decode(text, key); !opened) {
    return fail(with_context(make_error(opened.error().kind, opened.error().message,
                                        "nothing was stored: it is the key of another lockfile"),
                             "trying the key on " + store_of(program).location()));
  }
  PAAS_TRY(const auto path, lockfile::store_key(ports.files, ports.environment, lineage, key));
  program.say(fmt::format("The key is in {}.", path));
  if (ports.environment.get("PAASCTL_KEY")) {
    program.say("PAASCTL_KEY is set, and is used instead of it.");
  }
  return exit_done;
}

}  // namespace

void register_state_key(Program& program, CLI::App& parent) {
  auto& group = *add_group(program, parent, "key",
                           "The key that opens the lockfile's secrets, for another machine");
  add_command<ExportOptions>(
      program, group, "export", "Write the key to a file that only you can read",
      [](CLI::App& command, ExportOptions& options) {
        command.add_option("--to", options.file, "File to write, which must not exist")
            ->type_name("FILE")
            ->required();
      },
      export_key,
      "  paasctl state key export --to shop.key\n"
      "  ssh build-host 'cd shop && paasctl state key import' < shop.key && rm shop.key");
  add_command<ImportOptions>(
      program, group, "import", "Store the key, if it opens this lockfile's secrets",
      [](CLI::App& command, ImportOptions& options) {
        command.add_option("FILE", options.file, "File with the key; without one standard input");
      },
      import_key,
      "  paasctl state key import shop.key\n"
      "  paasctl state key import < shop.key");
}

}  // namespace paas::cli
