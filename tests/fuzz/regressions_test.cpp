// Every fuzz target with the inputs of its corpus: what a fuzzer has found stays mended.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/property.hpp"
#include "fuzz/targets.hpp"

namespace paas::fuzz {
namespace {

/// Runs `target` with each file of these folders, below the project's own, that ends so.
void run_all(void (*target)(std::string_view), const std::vector<std::string>& folders,
             const std::string& ending) {
  for (const auto& folder : folders) {
    int count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(PAASCTL_SOURCE_DIR) + "/" + folder)) {
      if (!entry.is_regular_file() || !entry.path().string().ends_with(ending)) continue;
      CAPTURE(entry.path().string());
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(file), {}};
      CHECK_NOTHROW(target(input));
      ++count;
    }
    CHECK_MESSAGE(count > 0, "no input in ", folder);
  }
}

TEST_CASE("fuzz: stack files") {
  run_all(stack_file, {"tests/fuzz/corpus/stack_file"}, "");
  run_all(stack_file, {"tests/stack/golden", "examples/zipkick"}, ".yaml");
}

TEST_CASE("fuzz: lockfiles") { run_all(lockfile, {"tests/fuzz/corpus/lockfile"}, ""); }

TEST_CASE("fuzz: plan files") { run_all(plan_file, {"tests/fuzz/corpus/plan_file"}, ""); }

TEST_CASE("fuzz: HAProxy's answers") {
  run_all(haproxy_answers, {"tests/fuzz/corpus/haproxy_answers"}, "");
  run_all(haproxy_answers, {"tests/haproxy"}, ".csv");
  run_all(haproxy_answers, {"tests/haproxy/golden"}, ".cfg");
}

TEST_CASE("fuzz: the load balancers of stack files") {
  run_all(haproxy_configuration, {"tests/fuzz/corpus/haproxy_configuration"}, "");
  run_all(haproxy_configuration, {"tests/stack/golden", "examples/zipkick"}, ".yaml");
}

TEST_CASE("fuzz: the API's answers") {
  run_all(api_answers, {"tests/fuzz/corpus/api_answers"}, "");
}

TEST_CASE("fuzz: requests to the local cloud") {
  run_all(cloud_requests, {"tests/fuzz/corpus/cloud_requests"}, "");
}

TEST_CASE("fuzz: a property that does not hold is told") {
  CHECK_NOTHROW(demand(true, "holds"));
  CHECK_THROWS_WITH_AS(demand(false, "does not hold"), "does not hold", Broken);
}

}  // namespace
}  // namespace paas::fuzz
