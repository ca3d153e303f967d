// `paasctl deploy`: a new release of services, while requests go on.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "build_choices.hpp"
#include "change.hpp"
#include "losses.hpp"
#include "plan/wanted.hpp"
#include "program.hpp"
#include "session.hpp"
#include "stack/definition.hpp"
#include "stack/values.hpp"
#include "timings.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::vector<std::string> services;
  std::string image;
  std::string strategy;
  int max_unavailable = 0;
  std::string canary;
  std::string canary_time = "60s";
  bool timings = false;
  BuildChoices build;
};

const std::map<std::string, plan::Strategy>& strategies() {
  static const std::map<std::string, plan::Strategy> all = {
      {"rolling", plan::Strategy::rolling},
      {"bluegreen", plan::Strategy::bluegreen},
      {"canary", plan::Strategy::canary},
      {"immediate", plan::Strategy::immediate}};
  return all;
}

Result<int> percent_from(const std::string& text) {
  const auto number = text.ends_with('%') ? text.substr(0, text.size() - 1) : text;
  const auto value = text::to_integer(number);
  if (value && *value >= 1 && *value <= 50) return static_cast<int>(*value);
  return fail(ErrorKind::usage, fmt::format("--canary {}: it is a share from 1% to 50%", text));
}

Result<plan::Rollout> rollout_from(const Options& options) {
  plan::Rollout rollout;
  const bool is_canary = !options.canary.empty();
  if (is_canary && !options.strategy.empty() && options.strategy != "canary") {
    return fail(ErrorKind::usage,
                fmt::format("--canary does not go with --strategy {}", options.strategy));
  }
  rollout.strategy = strategies().at(
      is_canary ? "canary" : (options.strategy.empty() ? "rolling" : options.strategy));
  rollout.max_unavailable = options.max_unavailable;
  if (is_canary) {
    PAAS_TRY(rollout.canary_percent, percent_from(options.canary));
  }
  return rollout;
}

Status check_image(const Options& options) {
  if (options.image.empty()) return {};
  if (options.services.size() != 1) {
    return fail(ErrorKind::usage, "--image is the image of one service",
                "name it: paasctl deploy SERVICE --image REFERENCE");
  }
  const auto reference = stack::parse_image_reference(options.image);
  if (reference) return {};
  return fail(ErrorKind::usage, "--image: " + reference.error().message, reference.error().hint);
}

/// The services that were named, or all that are up.
Result<std::vector<std::string>> services_of(const Session& session, const stack::Stack& applied,
                                             const Options& options) {
  std::vector<std::string> names;
  for (const auto& name : options.services) {
    PAAS_TRY(const auto* service, session.find_service(name));
    if (stack::find_service(applied, service->name) == nullptr) {
      return fail(ErrorKind::not_found, fmt::format("{} is not up yet", name),
                  "`paasctl up` makes its servers");
    }
    names.push_back(name);
  }
  if (!options.services.empty()) return names;
  for (const auto& service : session.stack.services) {
    if (stack::find_service(applied, service.name) != nullptr) names.push_back(service.name);
  }
  return names;
}

/// Of what the stack file says, only the releases of these services are taken: what was applied of
/// the rest stays.
Status take_releases(Session& session, const Options& options) {
  if (!session.lockfile.applied) {
    return fail(ErrorKind::not_found, "the stack is not up yet", "`paasctl up` brings it up");
  }
  auto target = *session.lockfile.applied;
  // Who pulls is no part of a release.
  target.registries = session.stack.registries;
  PAAS_TRY(const auto names, services_of(session, target, options));
  for (const auto& name : names) {
    const auto& declared = *stack::find_service(session.stack, name);
    PAAS_TRY(target, stack::with_definition(target, stack::definition_of(session.stack, declared)));
    auto& entry = session.lockfile.services[name];
    entry.pinned = 0;
    entry.image = options.image;
  }
  session.stack = std::move(target);
  session.kept.unchanged = plan::all_but(session.lockfile, names);
  return {};
}

int number_of(const lockfile::Lockfile& lockfile, const std::string& service) {
  const auto* release = plan::current_release(lockfile, service);
  return release == nullptr ? 0 : release->number;
}

/// What each service is at now.
void print_releases(Program& program, const Session& session, const lockfile::Lockfile& before) {
  auto documents = nlohmann::ordered_json::array();
  std::string text;
  for (const auto& service : session.stack.services) {
    const int number = number_of(session.lockfile, service.name);
    const int old = number_of(before, service.name);
    documents.push_back(
        {{"service", service.name}, {"release", number}, {"changed", number != old}});
    if (number != old) text += fmt::format("{} release {}\n", service.name, number);
  }
  nlohmann::ordered_json document;
  // Without timings it is a list, as it was before there were any.
  (session.timings ? document["services"] : document) = std::move(documents);
  print_with_timings(program, session, text, std::move(document));
}

Result<int> deploy(Program& program, const Options& options) {
  PAAS_CHECK(check_image(options));
  PAAS_TRY(const auto rollout, rollout_from(options));
  const auto canary_time = stack::parse_duration(options.canary_time);
  if (!canary_time) {
    return fail(ErrorKind::usage, "--canary-time: " + canary_time.error().message,
                canary_time.error().hint);
  }
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  session->canary_time = *canary_time;
  PAAS_CHECK(choose_build(*session, options.build));
  lockfile::Lockfile before;
  Change change;
  change.command = "paasctl deploy";
  change.rollout = rollout;
  change.resume = text::join(
                      [&] {
                        auto words = options.services;
                        words.insert(words.begin(), change.command);
                        if (!options.image.empty()) words.push_back("--image " + options.image);
                        return words;
                      }(),
                      " ") +
                  words_of(options.build);
  change.prepare = [&](Session& opened) {
    before = opened.lockfile;
    return take_releases(opened, options);
  };
  PAAS_TRY(const int status, apply_timed(program, *session, change, options.timings));
  print_releases(program, *session, before);
  return status;
}

std::string strategy_names() {
  std::vector<std::string> names;
  for (const auto& [name, strategy] : strategies()) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

void register_deploy(Program& program) {
  auto* declared = add_command<Options>(
      program, program.app, "deploy",
      "Make new releases of services, and take them back everywhere when one fails",
      [&program](CLI::App& command, Options& options) {
        command.add_option("SERVICE", options.services,
                           "Services; without any, all that are up. Of the stack file only their "
                           "image, environment, links and rules are applied");
        command.add_option("--image", options.image,
                           "Run this image of a registry instead of the stack file's, until the "
                           "next deploy without it or `up --unpin`");
        std::vector<std::string> names;
        for (const auto& [name, strategy] : strategies()) names.push_back(name);
        command
            .add_option("--strategy", options.strategy,
                        "How servers change over: " + strategy_names() + "; rolling by default")
            ->check(CLI::IsMember(names));
        command
            .add_option("--max-unavailable", options.max_unavailable,
                        "Servers that change over at a time; a quarter of them by default")
            ->check(CLI::Range(1, 10000));
        command.add_option("--canary", options.canary,
                           "Share of the requests that go to the new release first, such as 10%; "
                           "it is taken back when it serves worse than the old one");
        command
            .add_option("--canary-time", options.canary_time,
                        "How long HAProxy's figures of it are watched")
            ->capture_default_str();
        add_timings_option(command, options.timings);
        add_build_options(command, options.build);
        add_confirm_option(program, command);
      },
      deploy,
      "  paasctl deploy\n"
      "  paasctl deploy web\n"
      "  paasctl deploy web --image ghcr.io/acme/web:1.5\n"
      "  paasctl deploy web --canary 10% --canary-time 2m",
      {"json", "yaml"});
  program.documents[declared] = timed_document(
      "the services are a list; with --timings it is the member services of an object",
      {{"services[].service", "Service"},
       {"services[].release", "The release that it is at"},
       {"services[].changed", "Whether that is another one than before"}});
}

}  // namespace paas::cli
