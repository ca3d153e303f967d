// The provider in virtual time: the local cloud's core, whose effects take as long as they do at
// DigitalOcean.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cloud/core.hpp"

namespace paas::crash {

using Milliseconds = std::chrono::milliseconds;

/// How long things take. A seed spreads them.
struct Pace {
  Milliseconds machine{9'000};   ///< Until a droplet is active; the same to destroy one.
  Milliseconds other{1'500};     ///< Networks, rules, volumes, addresses.
  Milliseconds tags{2'500};      ///< Until a new droplet is found by its tags.
  Milliseconds names{1'500};     ///< Until it is found by its name.
  Milliseconds boot{3'000};      ///< Until a droplet that is active answers over SSH.
  Milliseconds between{20'000};  ///< From the end of one run to the next.
};

Pace pace_of(std::uint64_t seed);

/// Whether an effect is carried out.
enum class Fate { done, fails, stuck };

/// A value: copied, it is another world in which things may go on differently.
class Provider {
 public:
  explicit Provider(const Pace& chosen);

  /// Ends what is due until then.
  void advance(Milliseconds now);
  /// Answers a request. New effects are asked `fate_of`, by what they do.
  template <typename FateOf>
  cloud::Answer handle(const cloud::Request& request, Milliseconds now, const FateOf& fate_of) {
    advance(now);
    if (asks_for_hidden(request)) {
      return {404, R"({"id": "not_found", "message": "It is not found yet."})", {}};
    }
    const Hiding hiding(*this, request);
    auto outcome = cloud::handle(state, request, surroundings(now));
    for (const auto& effect : outcome.effects) take(effect, now, fate_of(effect));
    note_new_droplets(now);
    return outcome.answer;
  }
  /// What was stuck goes on, and everything comes to its end.
  void settle(Milliseconds& now);
  void release_stuck(Milliseconds now);
  /// Droplets that are there now are in no list and answer 404 until then.
  void hide_droplets(Milliseconds until);

  /// A droplet loses its power; nobody asked for it.
  void lose_power(cloud::Id droplet);
  /// A droplet boots anew; nobody asked for it.
  void reboot(cloud::Id droplet, Milliseconds now);

  /// When the droplet that is active answers over SSH; nothing while it is not active.
  const Milliseconds* booted_at(cloud::Id droplet) const;

  cloud::State state;
  Pace pace;

 private:
  /// Makes new droplets invisible to a list while they are not found by what it asks for.
  class Hiding {
   public:
    Hiding(Provider& provider, const cloud::Request& request);
    ~Hiding();
    Hiding(const Hiding&) = delete;
    Hiding& operator=(const Hiding&) = delete;

   private:
    Provider& provider_;
    std::vector<cloud::Id> hidden_;
  };
  struct Open {
    cloud::Effect effect;
    Milliseconds due{0};
    Fate fate = Fate::done;
  };

  bool is_hidden(cloud::Id droplet) const;
  bool asks_for_hidden(const cloud::Request& request) const;
  static cloud::Surroundings surroundings(Milliseconds now);
  Milliseconds duration_of(const cloud::Effect& effect) const;
  void take(const cloud::Effect& effect, Milliseconds now, Fate fate);
  void note_new_droplets(Milliseconds now);
  /// Ends the effect that is next until then; whether there was one.
  bool end_next(Milliseconds until);

  std::map<std::int64_t, Open> open_;
  std::map<cloud::Id, Milliseconds> created_;
  std::map<cloud::Id, Milliseconds> booted_;
  std::map<cloud::Id, Milliseconds> hidden_until_;
  Milliseconds last_{0};
};

/// "create-machine shop-web-1"
std::string describe(const cloud::Effect& effect, const cloud::State& state);

}  // namespace paas::crash
