// The local cloud's pure core: a request or an event goes in, the answer and the effects come out.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "cloud/effect.hpp"
#include "cloud/state.hpp"

namespace paas::cloud {

struct Request {
  std::string method;
  std::string path;  ///< Decoded: "/v2/droplets/1001"
  std::map<std::string, std::string> query;
  std::string authorization;  ///< The header's value.
  std::string body;
  std::string
      base_url;  ///< As the client names this server, for the links: "http://127.0.0.1:8080"
  std::string request_id;
};

/// How an answer travels. Only faults have it go wrong, and the HTTP shell carries that out.
struct Delivery {
  enum class End {
    whole,
    half,     ///< The connection ends after the first half of the body.
    nothing,  ///< The connection ends without an answer.
  };
  End end = End::whole;
  std::chrono::milliseconds delay{0};
};

struct Answer {
  int status = 200;
  std::string body;  ///< Empty when the status has none.
  std::map<std::string, std::string> headers;
  std::string content_type = "application/json; charset=utf-8";
  Delivery delivery = {};
};

/// What the core knows of the world outside, besides the state.
struct Surroundings {
  std::chrono::system_clock::time_point now;
  /// Ranges that this machine routes elsewhere: none is given to a VPC.
  std::vector<std::string> host_ranges;
};

struct Outcome {
  Answer answer;
  std::vector<Effect> effects;
  bool changed = false;  ///< The state has to be kept before the answer is given.
};

/// Largest request body and user data that are accepted, in bytes.
inline constexpr std::size_t max_body_bytes = 1024 * 1024;
inline constexpr std::size_t max_user_data_bytes = 64 * 1024;

/// Answers one request of the DigitalOcean API v2. An answer of 400 or above leaves the state as it
/// was, except for the count of requests.
Outcome handle(State& state, const Request& request, const Surroundings& surroundings);

/// An error in the API's form, with the headers that every answer has.
Answer error_answer(const State& state, const Request& request, int status,
                    const Surroundings& surroundings);

struct Completion {
  std::vector<Effect> effects;
  /// What failed in words for the log; empty when all is well.
  std::string failure;
};

/// Takes in what the world reports of an effect. An unknown effect changes nothing.
Completion complete(State& state, const EffectDone& done, const Surroundings& surroundings);

/// A machine ended or came back by itself. True when that changed something.
bool machine_changed(State& state, Id droplet_id, bool running);

/// What to ask of the world when a process takes over this state: everything outstanding once more,
/// and every machine's rules, which the world may have lost.
std::vector<Effect> resume(State& state, const Surroundings& surroundings);

}  // namespace paas::cloud
