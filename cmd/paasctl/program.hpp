// What every command is given: the ports, the global options, and where it puts its action.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/clock.hpp"
#include "ports/environment.hpp"
#include "ports/files.hpp"
#include "ports/http.hpp"
#include "ports/process.hpp"
#include "ports/random.hpp"
#include "ports/terminal.hpp"
#include "report/plan_json.hpp"
#include "report/plan_text.hpp"
#include "system/interruption.hpp"

namespace paas::cli {

struct Ports {
  Http& http;         ///< The provider's API.
  Http& engine_http;  ///< Docker Engines, here and on servers.
  Processes& processes;
  Files& files;
  Clock& clock;
  Environment& environment;
  Random& random;
  Terminal& terminal;
  /// Stops when the user asks to.
  std::stop_token stop;
  std::function<void()> request_stop;  ///< Asks in the user's place.
  std::string executable;              ///< Path of this program.
  /// Lets the first signal wait for what is under way.
  system::Interruption& interruption;
};

struct GlobalOptions {
  std::string file = "paas.yaml";
  std::string output = "text";
  bool quiet = false;
  bool verbose = false;
  bool yes = false;
  bool no_color = false;
  std::string progress = "auto";
  int parallelism = 10;
  /// Servers and volumes whose data may be destroyed.
  std::vector<std::string> confirmed;
};

/// The outcome of a command: an exit status, or an error that main renders.
using Action = std::function<Result<int>()>;

/// Exit statuses beside those that errors have (exit_status_of).
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_changes_pending = 2;

/// An argument whose words are another program's: they stay as they are behind `--`.
struct Verbatim {
  CLI::Option* option = nullptr;
  std::vector<std::string>* words = nullptr;
};

/// What a command prints with --output json, for its man page.
struct Document {
  std::string introduction;
  std::vector<report::Member> members;
};

/// What a command's help lists beside its options, and its man page explains.
struct Manual {
  struct Topic {
    std::string name;
    std::string summary;
    std::string details;  ///< Sentences; only in the man page.
  };
  std::string title;
  std::vector<std::string> introduction;  ///< Paragraphs; only in the man page.
  std::vector<Topic> topics;
};

struct Program {
  CLI::App& app;
  Ports& ports;
  GlobalOptions& globals;
  Action action;  ///< Set by the command that was named.
  /// What --output may be for a command, beside text.
  std::map<const CLI::App*, std::vector<std::string>> formats;
  /// The commands that take another program's words.
  std::map<const CLI::App*, Verbatim> verbatim;
  /// The documents that are explained member by member.
  std::map<const CLI::App*, Document> documents;
  std::map<const CLI::App*, Manual> manuals;
  std::vector<std::string> words;  ///< The command line, without the program.

  report::Color output_color() const;
  report::Color error_color() const;
  void print(const std::string& text) const { ports.terminal.write_output(text); }
  /// Whether --output asks for a document: json or yaml.
  bool wants_document() const { return globals.output == "json" || globals.output == "yaml"; }
  /// Whether a program at both ends of this terminal can have one of its own; where only one end is
  /// a terminal, bytes have to stay as they are.
  bool is_interactive() const {
    return ports.terminal.input_is_terminal() && ports.terminal.output_is_terminal();
  }
  /// A JSON text in the form that was asked for.
  void print_document(const std::string& json) const;
  /// A line for people on standard error; nothing with --quiet.
  void say(const std::string& line) const;
};

/// Adds a subcommand whose options live in `Options`; `run` is called with them after parsing.
/// `examples` are lines for its help and man page; `formats` is what --output may be beside text.
template <typename Options>
CLI::App* add_command(Program& program, CLI::App& parent, const std::string& name,
                      const std::string& description,
                      const std::function<void(CLI::App&, Options&)>& declare,
                      const std::function<Result<int>(Program&, const Options&)>& run,
                      const std::string& examples, const std::vector<std::string>& formats = {}) {
  auto options = std::make_shared<Options>();
  auto* command = parent.add_subcommand(name, description);
  if (declare) declare(*command, *options);
  command->footer("Examples:\n" + examples);
  program.formats[command] = formats;
  command->callback([&program, command, options, run] {
    // A command that has commands of its own may have been named on the way to one of those.
    if (!command->get_subcommands().empty()) return;
    program.action = [&program, options, run] { return run(program, *options); };
  });
  return command;
}

/// Declares the last argument of a command that takes another program's words.
CLI::Option* add_verbatim(Program& program, CLI::App& command, const std::string& name,
                          std::vector<std::string>& words, const std::string& description);

/// For commands without options of their own.
struct NoOptions {};

/// A group of commands, such as `image`; naming it alone prints its help.
CLI::App* add_group(Program& program, const std::string& name, const std::string& description);
/// One inside of another, such as `state key`.
CLI::App* add_group(Program& program, CLI::App& parent, const std::string& name,
                    const std::string& description);

/// Asks on a terminal; elsewhere --yes is needed, or it is an error (usage).
Status confirm(Program& program, const std::string& question);

/// The exit status of an error, as the documentation lists them.
int exit_status_of(ErrorKind kind);

// One function a command or group, each in a file of that name.
void register_validate(Program& program);
void register_plan(Program& program);
void register_up(Program& program);
void register_down(Program& program);
void register_status(Program& program);
void register_image(Program& program);
void register_server(Program& program);
void register_deploy(Program& program);
void register_rollback(Program& program);
/// `image prune`, in the group of `image`.
void register_image_prune(Program& program, CLI::App& group);
void register_run(Program& program);
void register_scale(Program& program);
void register_logs(Program& program);
void register_exec(Program& program);
void register_lb(Program& program);
void register_lb_rules(Program& program, CLI::App& group);
void register_lb_weight(Program& program, CLI::App& group);
void register_lb_maintenance(Program& program, CLI::App& group);
void register_deps(Program& program);
void register_secret(Program& program);
void register_state(Program& program);
void register_cloud(Program& program);
void register_completion(Program& program);
void register_version(Program& program);
void register_man(Program& program);

/// All of them, in the order of the help.
void register_commands(Program& program);

}  // namespace paas::cli
