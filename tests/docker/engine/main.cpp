// Runs the tests when there is what they need, and otherwise says what is missing with exit
// status 77.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "docker/engine/fixture.hpp"
#include "system/posix_processes.hpp"

namespace {

constexpr int skipped = 77;

int skip(const std::string& why) {
  // Where everything has to be tested, what cannot be is a failure.
  const char* required = std::getenv("PAASCTL_REQUIRE_SCENARIOS");
  const bool may_skip = required == nullptr || *required == '\0';
  fmt::print("{}: {}\n", may_skip ? "skipped" : "FAILED", why);
  return may_skip ? skipped : 1;
}

bool works(const std::vector<std::string>& arguments) {
  paas::ProcessRequest request;
  request.arguments = arguments;
  const auto result = paas::system::PosixProcesses().run(request);
  return result && result->exit_status == 0;
}

}  // namespace

int main(int count, char** arguments) {
  doctest::Context context(count, arguments);
  const bool second = count > 1 && std::strcmp(arguments[1], "second") == 0;
  // The tests of the suite "second engine" start another engine, which takes root's rights.
  context.addFilter(second ? "test-suite" : "test-suite-exclude", "second engine");
  paas::system::CurlHttp http;
  paas::docker::Engine engine(http, paas::docker::testing::socket_of_engine());
  if (const auto answered = engine.ping(); !answered) {
    return skip("no Docker Engine answers: " + paas::describe(answered.error()));
  }
  if (second && !works({"unshare", "--net", "--mount", "dockerd", "--version"})) {
    return skip("a second Docker Engine needs dockerd and the right to make namespaces");
  }
  return context.run();
}
