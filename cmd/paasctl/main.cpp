// The entry point: makes the real ports, reads the command line, renders errors.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "command_line.hpp"
#include "command_tree.hpp"
#include "help.hpp"
#include "program.hpp"
#include "system/curl_http.hpp"
#include "system/interruption.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/posix_terminal.hpp"
#include "system/system_clock.hpp"
#include "system/system_environment.hpp"
#include "system/system_random.hpp"
#include "usage.hpp"

namespace paas::cli {
namespace {

constexpr auto description =
    "Turns one stack file into running, linked, load-balanced servers on DigitalOcean or on this "
    "machine.";

constexpr auto footer =
    "Exit status: 0 done; 1 failed; 2 changes pending (plan --detailed-exitcode); 64 usage; 65 bad "
    "stack file or lockfile; 69 a service is unreachable; 75 another run holds the guard; 77 not "
    "authorised; 130 interrupted.\n"
    "`paasctl COMMAND --help` tells more; so do the man pages (man paasctl-up, man paas.yaml).";

void declare_globals(CLI::App& app, GlobalOptions& globals) {
  app.set_help_flag("-h,--help", "Show help");
  app.set_version_flag("--version", fmt::format("paasctl {}", PAASCTL_VERSION), "Show the version");
  app.add_option("-f,--file", globals.file, "Stack file")->type_name("FILE")->capture_default_str();
  app.add_option("-o,--output", globals.output,
                 "Form of what is printed: text, wide, json, yaml or name; a command's help tells "
                 "which it has")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "wide", "json", "yaml", "name"}));
  app.add_option("--progress", globals.progress,
                 "Form of the progress on standard error: auto, tty, plain, json or none")
      ->type_name("STYLE")
      ->check(CLI::IsMember({"auto", "tty", "plain", "json", "none"}));
  app.add_option("--parallelism", globals.parallelism, "Steps at the same time, 1 to 100")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_flag("-q,--quiet", globals.quiet, "Say only what was asked for, and errors");
  app.add_flag("-v,--verbose", globals.verbose, "Say more, for example tries that are repeated");
  app.add_flag("-y,--yes", globals.yes, "Do not ask for confirmation");
  app.add_flag("--no-color", globals.no_color, "No colours (NO_COLOR does the same)");
}

void render_error(Terminal& terminal, const Error& error, report::Color color) {
  const bool colored = color == report::Color::yes;
  const auto mark = [&](const char* word, const char* code) {
    return colored ? fmt::format("\x1b[{}m{}\x1b[0m", code, word) : std::string(word);
  };
  terminal.write_error(fmt::format("{} {}\n", mark("error:", "31"), describe(error)));
  if (!error.hint.empty()) {
    terminal.write_error(fmt::format("{} {}\n", mark("hint:", "36"), error.hint));
  }
}

int usage_error(Program& program, const Error& error) {
  render_error(program.ports.terminal, error, program.error_color());
  return exit_status_of(ErrorKind::usage);
}

/// What a command can print is known only when the whole line was read.
Status check_output(const Program& program) {
  const auto& wanted = program.globals.output;
  const auto& command = named_command(program.app);
  const auto found = program.formats.find(&command);
  if (wanted == "text" || found == program.formats.end()) return {};
  const auto& formats = found->second;
  if (std::find(formats.begin(), formats.end(), wanted) != formats.end()) return {};
  return fail(ErrorKind::usage, fmt::format("{} cannot print {}", full_name(command), wanted),
              fmt::format("--output may be {} here", output_formats(program, command)));
}

std::string executable_path() {
  std::array<char, 4096> buffer{};
  const auto length = readlink("/proc/self/exe", buffer.data(), buffer.size() - 1);
  return length > 0 ? std::string(buffer.data(), static_cast<std::size_t>(length)) : "paasctl";
}

int run(int argc, char** argv) {
  system::Interruption interruption;
  system::SystemEnvironment environment;
  system::CurlHttp http(interruption.token(), environment.get("SSL_CERT_FILE").value_or(""));
  system::CurlHttp engine_http(interruption.token());
  system::PosixProcesses processes(interruption.token());
  system::PosixFiles files;
  system::SystemClock clock(interruption.token());
  system::SystemRandom random;
  system::PosixTerminal terminal(interruption.token());
  Ports ports{http,
              engine_http,
              processes,
              files,
              clock,
              environment,
              random,
              terminal,
              interruption.token(),
              [&] { interruption.request(); },
              executable_path(),
              interruption};
  CLI::App app(description, "paasctl");
  app.fallthrough();
  app.footer(footer);
  app.require_subcommand(0, 1);
  GlobalOptions globals;
  Program program{app, ports, globals, {}, {}, {}, {}, {}, {argv + 1, argv + argc}};
  app.formatter(help_formatter(program));
  declare_globals(app, globals);
  register_commands(program);
  try {
    read_command_line(program, argc, argv);
  } catch (const CLI::CallForHelp&) {
    terminal.write_output(named_command(app).help());
    return exit_done;
  } catch (const CLI::CallForVersion& version) {
    terminal.write_output(fmt::format("{}\n", version.what()));
    return exit_done;
  } catch (const CLI::ParseError& problem) {
    return usage_error(program, explain(app, problem));
  }
  if (!program.action) {
    terminal.write_error(app.help());
    return exit_status_of(ErrorKind::usage);
  }
  if (const auto output = check_output(program); !output) {
    return usage_error(program, output.error());
  }
  auto result = program.action();
  if (result) return *result;
  render_error(terminal, result.error(), program.error_color());
  return exit_status_of(result.error().kind);
}

}  // namespace
}  // namespace paas::cli

int main(int argc, char** argv) { return paas::cli::run(argc, argv); }
