// Drives the core as the service does, one step at a time.
#include "cloud/support/core_fixture.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace paas::cloud::testing {

State fresh_state() {
  State state;
  state.settings.name = "test";
  state.settings.token = test_token;
  state.settings.seed = 42;
  state.settings.public_range = "198.18.16.0/20";
  state.settings.gateway = "198.18.16.1";
  state.settings.machine_image = "node:full";
  return state;
}

Exchange Core::send(const std::string& method, const std::string& target, const Json& body) {
  Request request;
  request.method = method;
  request.path = target.substr(0, target.find('?'));
  if (target.find('?') != std::string::npos) {
    for (const auto& pair : text::split(target.substr(target.find('?') + 1), '&')) {
      request.query[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
    }
  }
  request.authorization = "Bearer " + token;
  request.base_url = "http://cloud.test";
  request.request_id = "request-1";
  if (!body.is_null()) request.body = body.dump();
  auto outcome = handle(state, request, surroundings);
  take(outcome.effects);
  return {outcome.answer.status,
          outcome.answer.body.empty() ? Json() : Json::parse(outcome.answer.body),
          outcome.answer.headers};
}

void Core::take(const std::vector<Effect>& effects) {
  for (const auto& effect : effects) {
    const auto known = std::find_if(waiting.begin(), waiting.end(),
                                    [&](const Effect& other) { return other.id == effect.id; });
    if (known != waiting.end()) {
      *known = effect;
      continue;
    }
    waiting.push_back(effect);
    history.push_back(effect);
  }
}

std::deque<Effect>::iterator Core::next_ready() {
  std::vector<Id> stopped;
  return std::find_if(waiting.begin(), waiting.end(), [&](const Effect& effect) {
    const bool follows = std::any_of(effect.after.begin(), effect.after.end(), [&](Id id) {
      return std::find(stopped.begin(), stopped.end(), id) != stopped.end();
    });
    if (effect.held_by == 0 && !follows) return true;
    stopped.push_back(effect.id);
    return false;
  });
}

void Core::end_next(const std::string& error) {
  const auto ready = next_ready();
  if (ready == waiting.end()) return;
  const auto effect = *ready;
  waiting.erase(ready);
  const auto& ends_with = effect.fault.empty() ? error : effect.fault;
  take(complete(state, {effect.id, ends_with, 1'500'000'000}, surroundings).effects);
}

void Core::settle() {
  while (next_ready() != waiting.end()) end_next();
}

std::vector<Id> Core::boot(const std::vector<std::string>& names, const Json& more) {
  Json body = {
      {"names", names}, {"region", "nyc3"}, {"size", "s-1vcpu-1gb"}, {"image", "debian-12-x64"}};
  body.update(more);
  const auto answer = post("/v2/droplets", body);
  settle();
  std::vector<Id> ids;
  for (const auto& droplet : answer.body.value("droplets", Json::array())) {
    ids.push_back(droplet.at("id").get<Id>());
  }
  return ids;
}

Id Core::boot_one(const std::string& name, const Json& more) {
  const auto ids = boot({name}, more);
  return ids.empty() ? 0 : ids.front();
}

}  // namespace paas::cloud::testing
