// A scripted API and a clock that moves only when somebody waits.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "digitalocean/client.hpp"
#include "ports/clock.hpp"
#include "ports/http.hpp"

namespace paas::digitalocean::testing {

inline HttpResponse answer(int status, std::string body = {},
                           std::map<std::string, std::string> headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

/// Answers requests by method and target, each scripted answer once; what was asked beyond the
/// script and what was scripted and never asked for both fail the test.
class ScriptedHttp : public Http {
 public:
  static constexpr const char* url = "http://127.0.0.1:4000";

  ~ScriptedHttp() override {
    CHECK_MESSAGE(unexpected_.empty(), "requests beyond the script: ", describe_unexpected());
    for (const auto& entry : script_) {
      CHECK_MESSAGE(entry.is_used, "never asked for: ", entry.method, " ", entry.target);
    }
  }

  void expect(const std::string& method, const std::string& target, Result<HttpResponse> response) {
    script_.push_back({method, target, std::move(response), false});
  }

  Result<HttpResponse> send(const HttpRequest& request) override {
    const std::lock_guard lock(mutex_);
    requests.push_back(request);
    const auto target = target_of(request);
    for (auto& entry : script_) {
      if (entry.is_used || entry.method != request.method || entry.target != target) continue;
      entry.is_used = true;
      return entry.response;
    }
    unexpected_.push_back(request.method + " " + target);
    return fail(ErrorKind::interrupted, "not in the script: " + unexpected_.back());
  }

  static std::string target_of(const HttpRequest& request) {
    const std::string prefix = url;
    return request.url.rfind(prefix, 0) == 0 ? request.url.substr(prefix.size()) : request.url;
  }

  std::vector<HttpRequest> requests;

 private:
  struct Entry {
    std::string method;
    std::string target;
    Result<HttpResponse> response;
    bool is_used = false;
  };

  std::string describe_unexpected() const {
    return fmt::format("{}", fmt::join(unexpected_, "; "));
  }

  std::mutex mutex_;
  std::vector<Entry> script_;
  std::vector<std::string> unexpected_;
};

class VirtualClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000)) + elapsed_;
  }
  std::chrono::milliseconds monotonic() override { return elapsed_; }
  Status wait(std::chrono::milliseconds duration) override {
    if (is_interrupted) return fail(ErrorKind::interrupted, "interrupted");
    elapsed_ += duration;
    waits.push_back(duration);
    return {};
  }

  std::vector<std::chrono::milliseconds> waits;
  bool is_interrupted = false;

 private:
  std::chrono::milliseconds elapsed_{0};
};

/// A client of the scripted API; its jitter is the whole backoff.
struct Fixture {
  ScriptedHttp http;
  VirtualClock clock;
  std::vector<std::string> told;     ///< Of waits for the rate limit.
  std::vector<std::string> retried;  ///< Of waits before a request is tried again.
  Client client{http, clock, settings()};

  ClientSettings settings() {
    return {ScriptedHttp::url, Secret("dop_v1_canary"),
            [this](const std::string& text) { told.push_back(text); },
            [this](const std::string& text) { retried.push_back(text); }, [] { return 1.0; }};
  }
  nlohmann::json sent_body(std::size_t index = 0) const {
    return nlohmann::json::parse(http.requests.at(index).body);
  }
};

}  // namespace paas::digitalocean::testing
