// One step of the core: the state being changed, and the effects that it asks for on the way.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cloud/core.hpp"
#include "cloud/state.hpp"

namespace paas::cloud {

/// How an effect works on a machine, volume, address or network.
enum class Hold { shared, exclusive };

struct Claim {
  Id effect_id = 0;
  Hold hold = Hold::exclusive;
};

struct Turn {
  State& state;
  const Surroundings& surroundings;
  std::vector<Effect> effects{};
  /// Which outstanding effects work on what, from the first effect that the turn asks for on.
  std::unordered_map<std::string, std::vector<Claim>> claims{};
  bool knows_claims = false;

  UnixTime now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(surroundings.now.time_since_epoch())
        .count();
  }
};

/// Asks the world for `kind`, behind everything outstanding that touches the same machine, volume,
/// address or network. Returns the effect's identifier.
Id emit(Turn& turn, EffectKind kind, Id action_id = 0);

/// Asks again for what failed, later with each attempt.
Id emit_again(Turn& turn, EffectKind kind, const Outstanding& failed);

/// Has new droplets get their tags a little after they were created, as DigitalOcean has it. There
/// has to be one.
void apply_tags_later(Turn& turn, std::vector<Id> droplet_ids);

/// Has a droplet that is active by now show its networks a little later, and stay locked until
/// then: DigitalOcean's are active without an address at times.
void apply_networks_later(Turn& turn, Droplet& droplet, Id action_id);

/// What an action is on.
struct ActionTarget {
  std::string type;           ///< "reboot"
  std::string resource_type;  ///< "droplet"
  Id resource_id = 0;
  std::string resource;
  std::string region;
};

/// Records a new action in progress. Effects that are emitted with its identifier belong to it.
Action& start_action(Turn& turn, ActionTarget target);

/// Ends the action, and with it what it kept busy. `error` empty: it succeeded.
void finish_action(Turn& turn, Action& action, const std::string& error);

/// Works out every droplet's rules again and asks for those that changed. Called after anything
/// that a firewall may depend on: firewalls, tags, droplets.
void refresh_rules(Turn& turn);

/// Whether the firewall is one of the droplet's for all that the API shows: named in it, or by a
/// tag that applies by now.
bool is_shown_at(const Firewall& firewall, const Droplet& droplet);

/// Rules that the world refused are asked for again as they are now, unless newer ones are under
/// way. Until they are in force, their firewalls have them pending.
void repeat_rules(Turn& turn, Droplet& droplet, Id failed_id, const Outstanding& failed);

/// Asks for the droplet's machine, with its rules in force from the first process on.
void create_machine(Turn& turn, Droplet& droplet, Id action_id);

/// The Docker image behind a distribution or a snapshot.
std::string machine_image_of(const State& state, Id image_id);

/// Takes the droplet out of everything that names it and asks for its machine's end.
void destroy_droplet(Turn& turn, Droplet& droplet);

/// Removes a deleted image's layers as soon as no droplet needs them.
void release_images(Turn& turn);

}  // namespace paas::cloud
