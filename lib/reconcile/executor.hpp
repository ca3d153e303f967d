// Carries out a plan: steps side by side in their order, each change of the world written down
// around it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "digitalocean/client.hpp"
#include "lockfile/store.hpp"
#include "observe/machines.hpp"
#include "observe/observe.hpp"
#include "plan/make.hpp"
#include "ports/clock.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"
#include "ports/random.hpp"
#include "reconcile/event.hpp"
#include "reconcile/images.hpp"

namespace paas::reconcile {

/// How long things may take before a step gives up.
struct Timeouts {
  std::chrono::milliseconds active{300'000};
  std::chrono::milliseconds ssh{180'000};
  std::chrono::milliseconds cloud_init{600'000};
  std::chrono::milliseconds docker{60'000};
  std::chrono::milliseconds action{300'000};
  std::chrono::milliseconds firewall{120'000};
  std::chrono::milliseconds rotation{60'000};
  std::chrono::milliseconds drain{30'000};
  /// How long a canary's figures are watched.
  std::chrono::milliseconds canary{60'000};
  std::chrono::milliseconds gone{300'000};
  /// How long an ACME client may take to be installed and to get certificates.
  std::chrono::milliseconds certificates{600'000};
  /// How long a droplet whose creation got no answer is looked for by its name.
  std::chrono::milliseconds grace{20'000};
  /// How long one that was accepted may be unknown to the API before it counts as gone.
  std::chrono::milliseconds accepted = observe::accepted_window;
  std::chrono::milliseconds poll{500};
  /// Between two looks at a container that starts.
  std::chrono::milliseconds health{100};
};

/// What the executor works with; all of it outlives it.
struct Tools {
  digitalocean::Client& client;
  observe::Machines& machines;
  Images& images;
  lockfile::Store& store;
  Processes& processes;
  Files& files;
  Clock& clock;
  Random& random;
  std::string scratch;  ///< A private folder for files that live as long as a step.
};

struct Options {
  int parallelism = 10;
  Timeouts timeouts;
  /// Certificates of files as HAProxy reads them, by name: those that plan::make was given the
  /// digests of.
  std::map<std::string, Secret> certificates;
  /// Hooks that run before a new release, as text, by service: plan::make was given the digests.
  std::map<std::string, std::string> pre_release;
  std::string who;  ///< Written into the releases that this run makes: "anna@laptop".
  OnEvent on_event;
  /// Asked before each step: true stops starting new ones; those in flight are finished.
  std::function<bool()> interrupted;
};

struct Failure {
  plan::Step step;
  Error error;
};

/// Whether nobody knows how the step ends: a hook before a release that goes on behind a connection
/// that broke. What it belongs to is no failed release.
bool is_undecided(const Failure& failure);

struct Outcome {
  int done = 0;
  int skipped = 0;
  bool interrupted = false;
  std::vector<Failure> failures;
  std::vector<plan::Step> not_tried;  ///< Those that were skipped, in the plan's order.
  lockfile::Lockfile lockfile;        ///< As it was stored last.
};

/// Runs the plan. `loaded` is the lockfile that was read, `images` what plan::make was given. A
/// step that fails takes with it those that come after it; the rest goes on. The Error is for what
/// makes going on impossible: the lockfile cannot be written.
Result<Outcome> execute(const plan::Plan& plan, const lockfile::Lockfile& loaded,
                        const std::map<std::string, plan::ImageState>& images,
                        const std::map<std::string, std::string>& restart, Tools& tools,
                        const Options& options);

}  // namespace paas::reconcile
