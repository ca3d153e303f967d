// Has a change timed, and prints what came of it.
#include "timings.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace paas::cli {

void add_timings_option(CLI::App& command, bool& wanted) {
  command.add_flag("--timings", wanted,
                   "Print how long each stage of each server took, also when something failed");
}

Result<int> apply_timed(Program& program, Session& session, const Change& change, bool wanted) {
  if (wanted) session.timings.emplace(program.ports.clock.monotonic());
  auto status = apply_change(program, session, change);
  if (!status && wanted && !session.timings->empty()) {
    print_with_timings(program, session, "", nlohmann::ordered_json::object());
  }
  return status;
}

void print_with_timings(Program& program, const Session& session, const std::string& text,
                        nlohmann::ordered_json document) {
  if (!program.wants_document()) {
    program.print(text);
    if (session.timings) program.print(report::timings_text(*session.timings));
    return;
  }
  if (session.timings) {
    document["timings"] = nlohmann::ordered_json::parse(report::timings_json(*session.timings));
  }
  program.print_document(document.dump(2) + "\n");
}

Document timed_document(const std::string& what, std::vector<report::Member> members) {
  const auto& timed = report::timings_members();
  members.insert(members.end(), timed.begin(), timed.end());
  return {fmt::format("With --output json {}. In a path, [] stands for each item of a list. After "
                      "a failure there are only the timings.",
                      what),
          std::move(members)};
}

}  // namespace paas::cli
