// `paasctl scale`: how many servers services shall have.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "change.hpp"
#include "losses.hpp"
#include "plan/counts.hpp"
#include "program.hpp"
#include "session.hpp"
#include "timings.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::vector<std::string> counts;
  bool timings = false;
};

Result<int> count_from(const std::string& service, const std::string& text) {
  const auto value = text::to_integer(text);
  if (!value || *value < 0 || *value > 10000) {
    return fail(ErrorKind::usage,
                fmt::format("{}: \"{}\" is not a number of servers", service, text));
  }
  return static_cast<int>(*value);
}

/// "web=3 api=2", or "web 3".
Result<std::map<std::string, int>> parse_counts(const std::vector<std::string>& words) {
  std::map<std::string, int> counts;
  if (words.size() == 2 && words[0].find('=') == std::string::npos) {
    PAAS_TRY(counts[words[0]], count_from(words[0], words[1]));
    return counts;
  }
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorKind::usage, fmt::format("\"{}\" is not SERVICE=N", word),
                  "write `paasctl scale web=3 api=2`, or `paasctl scale web 3`");
    }
    const auto service = word.substr(0, equals);
    if (counts.contains(service)) {
      return fail(ErrorKind::usage, fmt::format("{} is named twice", service));
    }
    PAAS_TRY(counts[service], count_from(service, word.substr(equals + 1)));
  }
  return counts;
}

/// Nothing but a document: people see the summary.
void print_counts(Program& program, const Session& session,
                  const std::map<std::string, int>& counts) {
  nlohmann::ordered_json document;
  document["services"] = nlohmann::ordered_json::array();
  for (const auto& [name, count] : counts) {
    document["services"].push_back(
        {{"service", name}, {"count", session.lockfile.services.at(name).count}});
  }
  print_with_timings(program, session, "", std::move(document));
}

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto counts, parse_counts(options.counts));
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  Change change;
  change.command = "paasctl scale";
  change.prepare = [&](Session& opened) -> Status {
    for (const auto& [name, count] : counts) {
      PAAS_TRY(const auto* service, opened.find_service(name));
      if (count < service->scale.min || count > service->scale.max) {
        return fail(ErrorKind::usage,
                    fmt::format("{} has between {} and {} servers, not {}", name,
                                service->scale.min, service->scale.max, count),
                    plan::limit_hint(*service, opened.stack_path));
      }
      opened.lockfile.services[name].count = count;
    }
    return {};
  };
  PAAS_TRY(const int status, apply_timed(program, *session, change, options.timings));
  print_counts(program, *session, counts);
  return status;
}

}  // namespace

void register_scale(Program& program) {
  auto* declared = add_command<Options>(
      program, program.app, "scale", "Set how many servers services have",
      [&program](CLI::App& command, Options& options) {
        add_timings_option(command, options.timings);
        add_confirm_option(program, command);
        command.add_option("COUNTS", options.counts, "SERVICE=N for each service, or SERVICE N")
            ->required();
      },
      run,
      "  paasctl scale web=3\n"
      "  paasctl scale web=3 api=2\n"
      "  paasctl scale web 3\n"
      "  paasctl scale web=4 --timings",
      {"json", "yaml"});
  program.documents[declared] =
      timed_document("the services that were named are a list of an object",
                     {{"services", "The services that were named"},
                      {"services[].service", "Service"},
                      {"services[].count", "How many servers it has"}});
}

}  // namespace paas::cli
