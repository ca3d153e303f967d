// Faults of the local cloud: how they are asked for, and what they do to a request. Pure.
//
// The rules are a part of the cloud's state and are kept with it, because what they did is: a
// droplet that is stuck or a machine that is frozen must have the rule that explains it, and that
// ends it, after a restart as well. Their counters are kept whenever something else is.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cloud/core.hpp"
#include "cloud/turn.hpp"

namespace paas::cloud::fault {

/// Where rules are added, listed and removed. It is no part of DigitalOcean's API, so it lies
/// outside /v2: no client of that API can meet it, no fault strikes it, and no rate limit counts
/// it. It asks for the cloud's token like everything else, and needs no second way into the
/// process.
inline constexpr std::string_view control_path = "/paasctl/faults";

/// A fault as users write it. What is not given is the fault's own.
struct Wanted {
  std::string fault;  ///< "status", "action-error", ...
  std::optional<std::string> method = {};
  std::optional<std::string> path = {};
  std::optional<std::int64_t> nth = {};
  std::optional<std::string> share = {};  ///< "10%" or "0.1"
  std::optional<std::int64_t> seed = {};
  std::optional<std::int64_t> times = {};
  bool after = false;
  std::optional<std::int64_t> status = {};
  std::optional<std::string> body = {};
  std::optional<std::int64_t> retry_after = {};  ///< Seconds.
  std::optional<std::string> time = {};          ///< "2s", "500ms"
  std::optional<std::int64_t> looks = {};
  std::optional<std::string> size = {};
  std::optional<std::string> region = {};
  std::optional<std::int64_t> limit = {};
  std::optional<std::string> action = {};
  std::optional<std::string> droplet = {};  ///< A name or an identifier.
};

/// What documentation says of one kind of fault.
struct Description {
  Kind kind = Kind::status;
  std::string_view name;
  std::string_view summary;  ///< One line.
  std::string_view details;  ///< Sentences for the manual.
  /// Options of its own, beside those that choose requests.
  std::vector<std::string_view> options;
};
const std::vector<Description>& descriptions();
std::string_view name_of(Kind kind);
/// Types of actions that can be told to error.
const std::vector<std::string>& action_types();

/// Error (usage): an unknown name (with the nearest one), a pattern that no operation has, a number
/// out of range, an option that the fault does not take or that it lacks.
Result<Rule> make(const Wanted& wanted);

nlohmann::json to_json(const Wanted& wanted);
/// Error (usage): an unknown field or one of another type.
Result<Wanted> wanted_from(const nlohmann::json& body);

/// `*` stands for any characters of one segment, `**` for any characters at all; everything else
/// for itself.
bool matches_path(std::string_view pattern, std::string_view path);

/// What happens to one request.
struct Decision {
  std::optional<Rule> rule = {};       ///< The first that strikes, delays apart.
  std::chrono::milliseconds delay{0};  ///< Of all the delays that strike.
};

/// Asks every rule about the request, and counts. The same requests in the same order with the same
/// rules are decided alike.
Decision decide(State& state, const Request& request);

/// Whether the rule answers in the place of the operation, which then takes no effect.
bool answers_instead(const Rule& rule);

/// What an operation is done to, as it was before.
struct Before {
  Id next_id = 0;
  std::map<Id, Droplet> droplets;  ///< Only for actions that are to error.
};
Before look_before(const State& state, const Decision& decision);

/// What the rule does to the outcome of a request that took effect: new droplets are hidden or held
/// back, actions error and leave the droplets that they are on as they were.
void follow(State& state, const Rule& rule, const Before& before, Outcome& outcome);

/// Droplets that the account may have, and whether a size can be had in a region, as the rules that
/// are not used up yet leave it.
int droplet_limit(const State& state);
bool is_sold_out(const State& state, std::string_view size, std::string_view region);

/// Counts a look at the droplet; true when it is not to be found yet.
bool is_hidden_from(Droplet& droplet);

/// Lets what a rule held back go on, or end with `error`.
void release_effect(Turn& turn, Outstanding& outstanding, const std::string& error);

/// The world has reported an effect that may be a rule's.
void effect_ended(State& state, Id effect_id, const std::string& error);

/// What the world does not keep over a restart of this process: asked for again.
void resume(Turn& turn);

/// A machine started anew: it is not frozen any more, and its disk is filled again.
void machine_started(Turn& turn, Id droplet_id);

/// A droplet is being destroyed: what was held back for it ends, and its rules with it.
void droplet_leaves(Turn& turn, Id droplet_id);

}  // namespace paas::cloud::fault
