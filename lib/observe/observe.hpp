// Looks at the world: few requests to the provider, and the servers side by side over SSH.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/result.hpp"
#include "digitalocean/client.hpp"
#include "lockfile/model.hpp"
#include "observe/machines.hpp"
#include "observe/model.hpp"
#include "ports/clock.hpp"

namespace paas::observe {

/// How far to look.
enum class Depth {
  cloud,    ///< Only the provider's lists.
  machines  ///< The servers' insides as well.
};

/// Servers that are looked at at the same time, each over a connection of its own. A look changes
/// nothing and mostly waits for a network, so that it is not held to the number of steps.
inline constexpr int looks_side_by_side = 100;

/// How long a droplet that was accepted may be unknown to the API before it counts as gone
/// (FACTS.md, case 6).
inline constexpr std::chrono::milliseconds accepted_window{60'000};

struct Options {
  Depth depth = Depth::machines;
  int parallelism = looks_side_by_side;
  /// Of the stack's droplets. Those of the lockfile that a quick list lacks are asked for one by
  /// one; one that nobody wrote down may be missed until the next look.
  digitalocean::Client::Reading reading = digitalocean::Client::Reading::sure;
  /// By which droplets that were accepted and that no run has seen are looked for through `grace`:
  /// one may answer 404 for a while. Without it they are asked for once.
  Clock* clock = nullptr;
  std::chrono::milliseconds grace = accepted_window;
  std::chrono::milliseconds poll{2'000};
  /// Told before that window, with what is looked for.
  std::function<void(const std::string&)> on_wait = nullptr;
};

/// Everything of the stack that exists. Servers that cannot be reached are told as such; an answer
/// of the provider that is missing or makes no sense is an error, never an empty list.
Result<Observed> observe(digitalocean::Client& client, Machines& machines,
                         const lockfile::Lockfile& lockfile, const std::string& stack,
                         const std::string& region, const Options& options);

/// Whether the lockfile's intent made a droplet of that name whose identifier is not written down:
/// it lies in the private network that this lockfile made, as every server does. Its tags prove
/// nothing, because they apply late, and because another lockfile gives the same ones to its own
/// droplets of the same names.
bool is_ours(const digitalocean::Droplet& droplet, const lockfile::Lockfile& lockfile,
             const std::string& stack);

/// How a server of the lockfile is reached.
Target target_of(const std::string& name, const lockfile::Server& server);

}  // namespace paas::observe
