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
  waiting.insert(waiting.end(), effects.begin(), effects.end());
  history.insert(history.end(), effects.begin(), effects.end());
}

void Core::end_next(const std::string& error) {
  const auto effect = waiting.front();
  waiting.pop_front();
  take(complete(state, {effect.id, error, 1'500'000'000}, surroundings).effects);
}

void Core::settle() {
  while (!waiting.empty()) end_next();
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
