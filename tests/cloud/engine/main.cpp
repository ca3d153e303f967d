// The entry point: without root or an engine nothing can be tested, which is said and is no
// success.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>

#include "base/error.hpp"
#include "docker/engine.hpp"
#include "docker/host.hpp"
#include "system/curl_http.hpp"
#include "system/system_environment.hpp"

namespace {

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
    std::fprintf(stderr, "skipped: %s\n", reason.c_str());
    return skipped;
  }
  return doctest::Context(argument_count, arguments).run();
}
