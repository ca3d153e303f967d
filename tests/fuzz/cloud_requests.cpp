// Asks the local cloud's core for anything in any order.
//
// A line is one of
//   METHOD TARGET BODY   a request; $droplet, $volume, $firewall, $vpc, $image, $action, $ip and
//   $fault are the newest
//                        one's identifier
//   .                    the oldest effect that may begin succeeds
//   ! WORDS              it fails with these words
//   + SECONDS            time passes
//   @                    the process ends, and another one takes the state over
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "base/text.hpp"
#include "cloud/core.hpp"
#include "cloud/state_json.hpp"
#include "cloud/support/invariants.hpp"
#include "fuzz/property.hpp"
#include "fuzz/targets.hpp"

namespace paas::fuzz {

namespace {

constexpr std::size_t lines_max = 200;
constexpr int effects_max = 5000;

cloud::State fresh_state() {
  cloud::State state;
  state.settings.name = "fuzz";
  state.settings.token = "dop_v1_fuzz";
  state.settings.seed = 42;
  state.settings.public_range = "198.18.16.0/20";
  state.settings.gateway = "198.18.16.1";
  state.settings.machine_image = "node:full";
  return state;
}

template <typename Map>
std::string newest(const Map& map) {
  return map.empty() ? "4711" : fmt::format("{}", map.rbegin()->first);
}

std::string filled_in(const cloud::State& state, std::string text) {
  if (text.find('$') == std::string::npos) return text;
  text = text::replace_all(std::move(text), "$droplet", newest(state.droplets));
  text = text::replace_all(std::move(text), "$volume", newest(state.volumes));
  text = text::replace_all(std::move(text), "$firewall", newest(state.firewalls));
  text = text::replace_all(std::move(text), "$vpc", newest(state.vpcs));
  text = text::replace_all(std::move(text), "$image", newest(state.images));
  text = text::replace_all(std::move(text), "$action", newest(state.actions));
  text = text::replace_all(std::move(text), "$ip", newest(state.reserved_ips));
  return text::replace_all(std::move(text), "$fault", newest(state.faults));
}

class Player {
 public:
  void play(const std::string& line);
  void check();
  /// Whatever was asked comes to an end once no fault holds it back.
  void finish();

 private:
  void request(const std::string& line);
  cloud::Outcome send(const std::string& method, const std::string& target,
                      const std::string& body);
  bool end_next(const std::string& error);
  void restart();

  cloud::State state_ = fresh_state();
  cloud::Surroundings surroundings_{
      std::chrono::system_clock::time_point(std::chrono::hours(500'000)), {}};
};

void Player::play(const std::string& line) {
  if (line.empty()) return;
  if (line[0] == '.') {
    end_next("");
  } else if (line[0] == '!') {
    end_next("failed" + line.substr(1));
  } else if (line[0] == '+') {
    const auto seconds = text::to_integer(text::trim(line.substr(1))).value_or(1);
    surroundings_.now += std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 100'000));
  } else if (line[0] == '@') {
    restart();
  } else {
    request(line);
  }
}

cloud::Outcome Player::send(const std::string& method, const std::string& target,
                            const std::string& body) {
  cloud::Request request;
  request.method = method;
  request.path = target.substr(0, target.find('?'));
  if (const auto mark = target.find('?'); mark != std::string::npos) {
    for (const auto& pair : text::split(target.substr(mark + 1), '&')) {
      const auto equals = std::min(pair.find('='), pair.size());
      request.query[pair.substr(0, equals)] = pair.substr(std::min(equals + 1, pair.size()));
    }
  }
  request.authorization = "Bearer " + state_.settings.token;
  request.base_url = "http://cloud.test";
  request.request_id = "request-1";
  request.body = body;
  return cloud::handle(state_, request, surroundings_);
}

void Player::request(const std::string& line) {
  const auto first = line.find(' ');
  if (first == std::string::npos) return;
  const auto second = std::min(line.find(' ', first + 1), line.size());
  const auto target = filled_in(state_, line.substr(first + 1, second - first - 1));
  const auto body = filled_in(state_, line.substr(std::min(second + 1, line.size())));
  const auto before = state_;
  const auto outcome = send(line.substr(0, first), target, body);
  const auto& answer = outcome.answer;
  // A fault answers whatever it was told to.
  if (!before.faults.empty()) return;
  demand(answer.status != 500, "the cloud has an error of its own: " + answer.body);
  demand(answer.body.empty() || nlohmann::json::accept(answer.body), "an answer is no JSON");
  if (answer.status < 400) return;
  demand(cloud::encode(state_) == cloud::encode(before), "what is refused leaves a trace: " + line);
  demand(outcome.effects.empty(), "what is refused has effects");
}

bool Player::end_next(const std::string& error) {
  for (const auto& [id, outstanding] : state_.outstanding) {
    const auto& effect = outstanding.effect;
    const bool waits = std::any_of(effect.after.begin(), effect.after.end(), [&](auto before) {
      return state_.outstanding.contains(before);
    });
    if (effect.held_by != 0 || waits) continue;
    const auto ends_with = effect.fault.empty() ? error : effect.fault;
    cloud::complete(state_, {id, ends_with, 1'500'000'000}, surroundings_);
    return true;
  }
  return false;
}

void Player::restart() {
  const auto text = cloud::encode(state_);
  auto again = cloud::decode(text);
  demand(again.has_value(), again ? "" : "a state is refused: " + again.error().message);
  demand(cloud::encode(*again) == text, "a state that is read is another one");
  const auto rate = state_.rate;
  state_ = std::move(*again);
  state_.rate = rate;
  cloud::resume(state_, surroundings_);
}

void Player::check() {
  const auto disorder = cloud::testing::disorder_in(state_);
  demand(disorder.empty(), text::join(disorder, "; "));
}

void Player::finish() {
  restart();
  demand(send("DELETE", "/paasctl/faults", "").answer.status < 300, "faults cannot be removed");
  int ended = 0;
  while (end_next("")) demand(++ended < effects_max, "effects follow each other for ever");
  demand(state_.outstanding.empty(), "an effect can never begin");
  demand(state_.faults.empty(), "a fault stays");
  for (const auto& [id, droplet] : state_.droplets) {
    demand(!droplet.leaving && droplet.pending_action == 0, "a droplet stays busy");
  }
  check();
}

}  // namespace

void cloud_requests(std::string_view input) {
  Player player;
  std::size_t count = 0;
  for (const auto& line : text::lines(input)) {
    if (++count > lines_max) break;
    player.play(line);
    player.check();
  }
  player.finish();
}

}  // namespace paas::fuzz
