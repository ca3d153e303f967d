// The entry point: without root or an engine nothing can be tested, which is said and is no
// success.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/error.hpp"
#include "docker/engine.hpp"
#include "docker/host.hpp"
#include "system/curl_http.hpp"
#include "system/system_environment.hpp"

namespace {

constexpr int failed = 1;
constexpr int skipped = 77;

std::string why_not() {
  if (geteuid() != 0) return "machines need root";
  paas::system::SystemEnvironment environment;
  const auto socket = paas::docker::engine_socket(environment);
  if (!socket) return paas::describe(socket.error());
  paas::system::CurlHttp http;
  const auto answered = paas::docker::Engine(http, *socket).ping();
  return answered ? "" : paas::describe(answered.error());
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (const std::string reason = why_not(); !reason.empty()) {
    // Where everything has to be tested, what cannot be is a failure.
    const char* required = std::getenv("PAASCTL_REQUIRE_SCENARIOS");
    const bool may_skip = required == nullptr || *required == '\0';
    std::fprintf(stderr, "%s: %s\n", may_skip ? "skipped" : "FAILED", reason.c_str());
    return may_skip ? skipped : failed;
  }
  return doctest::Context(argument_count, arguments).run();
}
