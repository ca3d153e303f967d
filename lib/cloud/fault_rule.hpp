// A fault of the local cloud: what was asked for, and how often it struck. Plain values.
#pragma once

#include <cstdint>
#include <string>

namespace paas::cloud::fault {

enum class Kind {
  // Of requests.
  status,  ///< Another answer than the right one.
  delay,   ///< The right answer, late.
  cut,     ///< The connection ends without an answer.
  half,    ///< The connection ends in the middle of the right answer.
  html,    ///< A page for people with status 200.
  // Of what requests start.
  missing,        ///< A new droplet is not found at first.
  action_error,   ///< An action errors.
  stuck,          ///< A new droplet stays `new`.
  sold_out,       ///< A size or a region has no capacity.
  droplet_limit,  ///< The account may have no more droplets.
  // Of machines.
  kill,       ///< It loses its power.
  reboot,     ///< It loses its power and gets it back.
  freeze,     ///< Its processes stand still.
  unplug,     ///< No packet reaches or leaves it.
  fill_disk,  ///< Nothing more can be written.
};

struct Rule {
  std::int64_t id = 0;
  Kind kind = Kind::status;

  // Which requests.
  std::string method;  ///< Empty: any.
  std::string path;    ///< A glob, see matches_path().
  std::string size;    ///< sold_out: empty is any.
  std::string region;  ///< sold_out: empty is any.
  std::string action;  ///< action_error: the action's type; empty is any.

  // Which of these.
  std::int64_t first = 1;  ///< Requests before this one are let through; counted from 1.
  double share = 1;        ///< Of the requests from the first one on.
  std::uint64_t seed = 1;  ///< Decides which requests are that share.
  std::int64_t times = 0;  ///< How often at most; 0 is without end.

  // What happens.
  bool after = false;  ///< The request takes effect before it goes wrong.
  int status = 0;
  std::string body;  ///< Empty: that of the API's errors.
  std::int64_t retry_after_seconds = -1;
  std::int64_t delay_milliseconds = 0;
  std::int64_t looks = 0;  ///< missing: how often it is not found.
  std::int64_t limit = 0;  ///< droplet_limit: how many there may be.

  // A machine's fault.
  std::string droplet;  ///< Its name when the fault was added.
  std::int64_t droplet_id = 0;
  std::int64_t effect_id = 0;  ///< What the world still has to do about it; 0: nothing.
  bool leaving = false;        ///< The world is undoing it.
  std::string error;           ///< Why the world could not.

  std::uint64_t matched = 0;  ///< Requests that it was asked about.
  std::uint64_t hits = 0;     ///< How often it struck.
  friend bool operator==(const Rule&, const Rule&) = default;
};

/// Whether it strikes a machine once or for as long as it lasts, instead of requests.
constexpr bool is_of_machine(Kind kind) { return kind >= Kind::kill; }
/// Whether removing it has something to undo on the machine.
constexpr bool lasts_on_machine(Kind kind) { return kind >= Kind::freeze; }

}  // namespace paas::cloud::fault
