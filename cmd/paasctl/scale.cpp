// `paasctl scale`: how many servers services shall have.
#include <fmt/format.h>

#include <map>

#include "base/text.hpp"
#include "change.hpp"
#include "losses.hpp"
#include "plan/counts.hpp"
#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::vector<std::string> counts;
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
  return apply_change(program, *session, change);
}

}  // namespace

void register_scale(Program& program) {
  add_command<Options>(
      program, program.app, "scale", "Set how many servers services have",
      [&program](CLI::App& command, Options& options) {
        add_confirm_option(program, command);
        command.add_option("COUNTS", options.counts, "SERVICE=N for each service, or SERVICE N")
            ->required();
      },
      run,
      "  paasctl scale web=3\n"
      "  paasctl scale web=3 api=2\n"
      "  paasctl scale web 3");
}

}  // namespace paas::cli
