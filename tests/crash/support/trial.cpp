// Stops or disturbs a run, runs again, and looks at what there is.
#include "crash/support/trial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <tuple>

#include "base/text.hpp"

namespace paas::crash {
namespace {

constexpr const char* stop_name = "stop";
constexpr const char* power_name = "power";

std::string to_text(const Mishap& mishap) {
  if (mishap.kind == Mishap::Kind::stop) return stop_name;
  return mishap.kind == Mishap::Kind::power ? power_name : to_text(mishap.fault);
}

std::optional<Mishap> mishap_from(const std::string& text) {
  if (text == stop_name) return Mishap{Mishap::Kind::stop};
  if (text == power_name) return Mishap{Mishap::Kind::power};
  const auto fault = fault_kind_from(text);
  if (!fault) return std::nullopt;
  return Mishap{Mishap::Kind::fault, *fault};
}

/// How a run that met the fault may end, and what it has to say about it.
struct Outcry {
  std::vector<ErrorKind> kinds;
  std::string words;  ///< Empty: what it says depends on where it was.
};

Outcry outcry_of(FaultKind fault) {
  switch (fault) {
    case FaultKind::limit_plain:
    case FaultKind::limit_waiting:
      return {};  // It waits.
    case FaultKind::refused_401:
    case FaultKind::refused_403:
    case FaultKind::key_changed:
      return {{ErrorKind::unauthorised}, "injected"};
    case FaultKind::lost_404:
      return {{ErrorKind::not_found}, "injected"};
    case FaultKind::html_200:
    case FaultKind::half_answer:
      return {{ErrorKind::unreachable}, "not a whole JSON object"};
    case FaultKind::empty_list:
      return {{ErrorKind::exists, ErrorKind::failed, ErrorKind::invalid, ErrorKind::not_found}, ""};
    case FaultKind::busy_422:
    case FaultKind::late:
      return {};  // It waits.
    case FaultKind::server_killed:
    case FaultKind::server_rebooted:
      // What comes after a command that may fail finds the server off or not up yet.
      return {{ErrorKind::unreachable, ErrorKind::failed, ErrorKind::timed_out}, ""};
    case FaultKind::sold_out:
      return {{ErrorKind::failed}, "not available"};
    case FaultKind::droplet_limit:
      return {{ErrorKind::limited}, "droplet limit"};
    case FaultKind::cloud_init_failed:
    case FaultKind::reload_lost:
      return {{ErrorKind::failed}, "injected"};
    case FaultKind::config_refused:
      return {{ErrorKind::invalid}, "injected"};
    case FaultKind::killed_before:
    case FaultKind::killed_after:
      return {{ErrorKind::interrupted}, "killed"};
    case FaultKind::effect_fails:
      return {{ErrorKind::failed, ErrorKind::not_found, ErrorKind::timed_out}, ""};
    case FaultKind::effect_stuck:
      return {{ErrorKind::timed_out, ErrorKind::failed}, ""};
    case FaultKind::ssh_refused:
    case FaultKind::ssh_dropped:
    case FaultKind::server_gone:
    case FaultKind::docker_down:
      // Without a look at the load balancer nobody knows that HAProxy does not run on it yet.
      return {{ErrorKind::unreachable, ErrorKind::failed}, "injected"};
    case FaultKind::server_full:
    case FaultKind::disk_full:
      return {{ErrorKind::failed}, "No space left on device"};
    case FaultKind::flush_fails:
    case FaultKind::read_fails:
      return {{ErrorKind::failed}, "Input/output error"};
    default:
      return {{ErrorKind::unreachable}, "injected"};
  }
}

void check_outcry(const End& end, FaultKind fault, std::vector<std::string>& problems) {
  const auto allowed = outcry_of(fault);
  bool is_told = allowed.words.empty();
  for (const auto& error : end.errors) {
    const auto text = describe(error);
    is_told = is_told || text.find(allowed.words) != std::string::npos;
    if (std::find(allowed.kinds.begin(), allowed.kinds.end(), error.kind) == allowed.kinds.end()) {
      problems.push_back(
          fmt::format("an error of kind {}: {}", static_cast<int>(error.kind), text));
    }
  }
  if (!end.errors.empty() && !is_told) {
    problems.push_back("what happened is not told: " + describe(end.errors.front()));
  }
}

void add_errors(const std::string& run, const End& end, std::vector<std::string>& problems) {
  for (const auto& error : end.errors) problems.push_back(run + ": " + describe(error));
}

void add(std::vector<std::string> more, const std::string& when,
         std::vector<std::string>& problems) {
  for (auto& problem : more) problems.push_back(when + ": " + problem);
}

}  // namespace

std::string to_text(const Point& point) {
  return fmt::format("{}:{}:{}:{}", point.scenario, to_text(point.mishap), point.seed, point.k);
}

std::optional<Point> point_from(const std::string& text) {
  const auto words = text::split(text, ':');
  if (words.size() != 4) return std::nullopt;
  const auto mishap = mishap_from(words[1]);
  const auto seed = text::to_integer(words[2]);
  const auto k = text::to_integer(words[3]);
  if (!mishap || !seed || !k || find_scenario(words[0]) == nullptr) return std::nullopt;
  return Point{words[0], *mishap, static_cast<std::uint64_t>(*seed), static_cast<int>(*k)};
}

Stage::Stage(const Scenario& scenario, std::uint64_t seed, std::function<void(World&)> between)
    : scenario_(scenario),
      seed_(seed),
      between_(std::move(between)),
      beginning_(beginning_of(scenario, seed)),
      expected_(scenario.expected) {
  if (!expected_.volumes.empty() && !beginning_.provider.state.volumes.empty()) {
    expected_.kept_volume = beginning_.provider.state.volumes.begin()->first;
  }
  auto world = beginning_;
  const auto end = run(world, scenario.command);
  effects_ = end.effects;
  unsettled_ = end.unsettled;
  operations_ = end.operations;
  std::sort(operations_.begin(), operations_.end(), [](const auto& left, const auto& right) {
    return std::tie(left.domain, left.text, left.occurrence) <
           std::tie(right.domain, right.text, right.occurrence);
  });
}

/// The run after the mishap comes to what the stack file says, and one more finds nothing to do.
void Stage::finish(World& world, Verdict& verdict) const {
  auto& problems = verdict.problems;
  if (between_) between_(world);
  world.time += world.provider.pace.between;
  const auto second = run(world, scenario_.again);
  add_errors("second run", second, problems);
  world.provider.settle(world.time);
  add(differences(world, expected_), "after the second run", problems);
  const auto third = run(world, scenario_.again);
  add_errors("third run", third, problems);
  for (const auto& step : third.steps) problems.push_back("third run: " + step);
  if (third.effects != 0) {
    problems.push_back(fmt::format("third run: {} effects", third.effects));
  }
  add(world.ledger.violations(), "at some moment", problems);
}

Verdict Stage::stop(const Point& point) const {
  Verdict verdict;
  verdict.at = fmt::format("effect {} of {}", point.k, effects_);
  auto world = beginning_;
  const auto first = run(world, scenario_.command, {point.k});
  if (!first.stopped) verdict.problems.emplace_back("the run was not stopped");
  if (point.mishap.kind == Mishap::Kind::power) world.disk.lose_power();
  add(unknown_costs(world), "right after it", verdict.problems);
  finish(world, verdict);
  return verdict;
}

Verdict Stage::disturb(const Point& point) const {
  Verdict verdict;
  const auto& operation = operations_.at(static_cast<std::size_t>(point.k - 1));
  verdict.at = fmt::format("{} #{}", operation.text, operation.occurrence);
  auto world = beginning_;
  const auto first = run(world, scenario_.command, {0, Fault{point.mishap.fault, operation}});
  if (!first.struck) verdict.problems.emplace_back("the fault did not come about");
  check_outcry(first, point.mishap.fault, verdict.problems);
  if (first.succeeded()) {
    auto settled = world;
    settled.provider.settle(settled.time);
    add(differences(settled, expected_), "though it succeeded", verdict.problems);
  }
  world.provider.release_stuck(world.time);
  finish(world, verdict);
  return verdict;
}

Verdict Stage::attempt(const Point& point) const {
  try {
    return point.mishap.kind == Mishap::Kind::fault ? disturb(point) : stop(point);
  } catch (const std::exception& exception) {
    return {{fmt::format("an exception: {}", exception.what())}, ""};
  }
}

Verdict Stage::stumble(std::uint64_t seed) const {
  Verdict verdict;
  try {
    std::minstd_rand engine(static_cast<unsigned>(seed));
    auto world = beginning_;
    const int stops = 1 + static_cast<int>(engine() % 3);
    const int parallelism = engine() % 2 == 0 ? 1 : 4;
    for (int i = 0; i < stops; ++i) {
      world.provider.pace = pace_of(engine());
      const int effects = 1 + static_cast<int>(engine() % static_cast<unsigned>(effects_));
      const auto& command = i == 0 ? scenario_.command : scenario_.again;
      const auto end = run(world, command, {effects, std::nullopt, parallelism});
      if (engine() % 4 == 0) world.disk.lose_power();
      verdict.at += fmt::format("{}{}", i == 0 ? "effects " : ", ", effects);
      if (!end.stopped) add_errors(fmt::format("run {}", i + 1), end, verdict.problems);
      world.time += world.provider.pace.between;
    }
    finish(world, verdict);
  } catch (const std::exception& exception) {
    verdict.problems.push_back(fmt::format("an exception: {}", exception.what()));
  }
  return verdict;
}

}  // namespace paas::crash
