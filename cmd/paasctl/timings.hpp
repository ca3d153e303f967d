// --timings: how long each stage of each server took.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "change.hpp"
#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

/// Declares --timings.
void add_timings_option(CLI::App& command, bool& wanted);

/// apply_change(), and with `wanted` its timings, also when it fails: then they are all that is
/// printed. After a success the command prints them behind what it prints itself, by
/// print_with_timings().
Result<int> apply_timed(Program& program, Session& session, const Change& change, bool wanted);

/// What a command prints in the form that was asked for: `text`, or `document`, which gets the
/// member "timings". Without --timings just these.
void print_with_timings(Program& program, const Session& session, const std::string& text,
                        nlohmann::ordered_json document);

/// For the man page: what the command prints with --output json, in words and by its members, and
/// the timings.
Document timed_document(const std::string& what, std::vector<report::Member> members);

}  // namespace paas::cli
