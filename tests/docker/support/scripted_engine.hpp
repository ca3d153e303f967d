// An engine that answers from a script, in order, and records what it was asked.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "ports/http.hpp"

namespace paas::docker::testing {

/// GET /version is answered without a script. What is asked beyond the script, and what was
/// scripted and never asked for, both fail the test.
class ScriptedEngine : public Http {
 public:
  explicit ScriptedEngine(std::string api = "1.41", std::string oldest = "1.12")
      : version_(R"({"ApiVersion":")" + api + R"(","MinAPIVersion":")" + oldest + R"("})") {}

  ~ScriptedEngine() override {
    CHECK_MESSAGE(script_.empty(), script_.size(), " answers were never asked for");
  }

  void answer(int status, std::string body = {}) {
    script_.push_back(HttpResponse{status, {}, std::move(body)});
  }
  void break_off(ErrorKind kind, std::string message) {
    script_.push_back(fail(kind, std::move(message)));
  }

  Result<HttpResponse> send(const HttpRequest& request) override {
    const std::lock_guard lock(mutex_);
    REQUIRE(request.unix_socket == "/run/engine.sock");
    REQUIRE(request.url.rfind("http://docker/", 0) == 0);
    const auto target = request.url.substr(std::string("http://docker").size());
    if (target == "/version") {
      ++version_requests;
      return HttpResponse{200, {}, version_};
    }
    requests.push_back(request.method + " " + target);
    timeouts.push_back(request.timeout);
    headers.push_back(request.headers);
    auto body = request.body;
    while (request.body_source) {
      auto part = request.body_source(1000);
      if (!part) return fail(part.error());
      if (part->empty()) break;
      body += *part;
    }
    if (request.body_length) CHECK(*request.body_length == body.size());
    bodies.push_back(std::move(body));
    REQUIRE_MESSAGE(!script_.empty(), "beyond the script: ", requests.back());
    auto response = std::move(script_.front());
    script_.pop_front();
    if (!response || response->status >= 400 || !request.on_body) return response;
    // In parts that end anywhere, as they do on a socket.
    const auto whole = std::move(response->body);
    response->body.clear();
    for (std::size_t at = 0; at < whole.size(); at += 7) {
      if (auto taken = request.on_body(std::string_view(whole).substr(at, 7)); !taken) {
        return fail(taken.error());
      }
    }
    return response;
  }

  std::vector<std::string> requests;
  std::vector<std::string> bodies;
  std::vector<std::chrono::milliseconds> timeouts;
  std::vector<std::vector<std::pair<std::string, std::string>>> headers;
  int version_requests = 0;

 private:
  std::string version_;
  std::mutex mutex_;
  std::deque<Result<HttpResponse>> script_;
};

/// A frame of a container's output: 1 is standard output, 2 standard error.
inline std::string frame(char stream, const std::string& text) {
  std::string header(8, '\0');
  header[0] = stream;
  header[6] = static_cast<char>(text.size() >> 8U);
  header[7] = static_cast<char>(text.size() & 0xffU);
  return header + text;
}

}  // namespace paas::docker::testing
