// `paasctl logs`: what containers print.
#include <fmt/format.h>

#include <map>
#include <mutex>
#include <thread>

#include "base/parallel.hpp"
#include "containers.hpp"
#include "program.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::string name;
  std::string tail = "100";
  bool follow = false;
  bool timestamps = false;
};

/// Prints whole lines, with the server in front where several print.
class LinePrinter {
 public:
  LinePrinter(Program& program, bool with_names) : program_(program), with_names_(with_names) {}

  void add(const std::string& server, docker::LogStream stream, std::string_view text) {
    const std::scoped_lock lock(mutex_);
    auto& pending = pending_[{server, stream}];
    pending += text;
    while (true) {
      const auto end = pending.find('\n');
      if (end == std::string::npos) return;
      print(server, stream, pending.substr(0, end + 1));
      pending.erase(0, end + 1);
    }
  }

  void finish() {
    for (const auto& [key, text] : pending_) {
      if (!text.empty()) print(key.first, key.second, text + "\n");
    }
  }

 private:
  void print(const std::string& server, docker::LogStream stream, const std::string& line) {
    const auto text = with_names_ ? fmt::format("{} | {}", server, line) : line;
    if (stream == docker::LogStream::output) {
      program_.ports.terminal.write_output(text);
    } else {
      program_.ports.terminal.write_error(text);
    }
  }

  Program& program_;
  bool with_names_;
  std::mutex mutex_;
  std::map<std::pair<std::string, docker::LogStream>, std::string> pending_;
};

/// When nobody reads any more (`| head -1`), the other servers' logs end as well: they may be
/// silent for ever.
Status check_reader(Program& program) {
  if (!program.ports.terminal.output_closed()) return {};
  program.ports.request_stop();
  return fail(ErrorKind::interrupted, "nobody reads the output any more");
}

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_TRY(auto containers, containers_of(*session, options.name));
  LinePrinter printer(program, containers.size() > 1);
  docker::LogOptions log;
  log.tail = options.tail;
  log.follow = options.follow;
  log.timestamps = options.timestamps;
  auto& machines = session->machines();
  std::mutex mutex;
  Status outcome;
  run_side_by_side(containers.size(), static_cast<int>(containers.size()), [&](std::size_t index) {
    const auto& container = containers[index];
    auto engine = machines.engine(session->target(container.server));
    Status read =
        engine ? engine->logs(container.container, log,
                              [&](docker::LogStream stream, std::string_view text) -> Status {
                                printer.add(container.server, stream, text);
                                return check_reader(program);
                              })
               : fail(engine.error());
    const std::scoped_lock lock(mutex);
    if (!read && outcome) outcome = fail(read.error(), "logs of " + container.server);
  });
  printer.finish();
  if (program.ports.terminal.output_closed()) return exit_done;
  PAAS_CHECK(outcome);
  return exit_done;
}

}  // namespace

void register_logs(Program& program) {
  add_command<Options>(
      program, program.app, "logs", "Print what a service's or a server's containers print",
      [](CLI::App& command, Options& options) {
        command.add_option("NAME", options.name, "Service or server")->required();
        command.add_option("-n,--tail", options.tail, "Lines from the end, or all")
            ->capture_default_str();
        command.add_flag("--follow", options.follow, "Go on as more is printed");
        command.add_flag("-t,--timestamps", options.timestamps, "With the time of each line");
      },
      run,
      "  paasctl logs web\n"
      "  paasctl logs web-1 --follow\n"
      "  paasctl logs db --tail all --timestamps");
}

}  // namespace paas::cli
