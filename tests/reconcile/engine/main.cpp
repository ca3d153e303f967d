// Runs the tests where there is what they need, and says otherwise what is missing with exit status
// 77.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "docker/engine.hpp"
#include "docker/host.hpp"
#include "system/curl_http.hpp"
#include "system/posix_processes.hpp"
#include "system/system_environment.hpp"

namespace {

int skip(const std::string& why) {
  // Where everything has to be tested, what cannot be is a failure.
  const char* required = std::getenv("PAASCTL_REQUIRE_SCENARIOS");
  const bool may_skip = required == nullptr || *required == '\0';
  fmt::print("{}: {}\n", may_skip ? "skipped" : "FAILED", why);
  return may_skip ? 77 : 1;
}

bool is_installed(const char* program) {
  paas::ProcessRequest request;
  request.arguments = {program, "--version"};
  return paas::system::PosixProcesses().run(request).has_value();
}

}  // namespace

int main(int count, char** arguments) {
  doctest::Context context(count, arguments);
  const bool registry = count > 1 && std::strcmp(arguments[1], "registry") == 0;
  context.addFilter(registry ? "test-suite" : "test-suite-exclude", "registry");
  // Debian's client, which has BuildKit's built in, before one without the plugin that it needs.
  ::setenv("PATH", fmt::format("/usr/bin:{}", std::getenv("PATH")).c_str(), 1);
  paas::system::SystemEnvironment environment;
  paas::system::CurlHttp http;
  paas::docker::Engine engine(http, paas::docker::engine_socket(environment).value_or(""));
  if (const auto answered = engine.ping(); !answered) {
    return skip("no Docker Engine answers: " + paas::describe(answered.error()));
  }
  if (!is_installed("docker")) return skip("docker is not installed");
  if (registry && !is_installed("docker-registry")) return skip("docker-registry is not installed");
  return context.run();
}
