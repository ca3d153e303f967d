// A cloud's core with a clock that moves when told, and effects that end when told.
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cloud/core.hpp"

namespace paas::cloud::testing {

using Json = nlohmann::json;

struct Exchange {
  int status = 0;
  Json body;
  std::map<std::string, std::string> headers;
};

inline const std::string test_token = "dop_v1_test";

/// A state as run() makes it, with fixed randomness.
State fresh_state();

class Core {
 public:
  Core() : state(fresh_state()) {}

  Exchange send(const std::string& method, const std::string& target, const Json& body = nullptr);
  Exchange get(const std::string& target) { return send("GET", target); }
  Exchange post(const std::string& target, const Json& body) { return send("POST", target, body); }
  Exchange remove(const std::string& target) { return send("DELETE", target); }

  /// Lets every effect succeed, also those that follow from others, in the order they were asked.
  /// What a fault holds back, and what has to follow that, stays.
  void settle();
  /// Ends the oldest effect that may begin, if there is one, with this error; "" lets it succeed,
  /// but for a fault.
  void end_next(const std::string& error = "");

  /// Droplets with these names, after they booted. Their identifiers.
  std::vector<Id> boot(const std::vector<std::string>& names, const Json& more = Json::object());
  Id boot_one(const std::string& name, const Json& more = Json::object());

  /// Effects of one kind that were asked for since the last time this was cleared.
  template <typename Kind>
  std::vector<Kind> asked() const {
    std::vector<Kind> found;
    for (const auto& effect : history) {
      if (const auto* kind = std::get_if<Kind>(&effect.kind)) found.push_back(*kind);
    }
    return found;
  }

  State state;
  Surroundings surroundings{std::chrono::system_clock::time_point(std::chrono::hours(500'000)), {}};
  std::string token = test_token;
  std::deque<Effect> waiting;
  std::vector<Effect> history;

 private:
  std::deque<Effect>::iterator next_ready();
  void take(const std::vector<Effect>& effects);
};

}  // namespace paas::cloud::testing
