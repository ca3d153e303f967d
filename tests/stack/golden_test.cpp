// Each stack file under golden/ has the errors beside it, exactly as they are shown.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "stack/parse.hpp"

namespace paas::stack {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> golden_files() {
  std::vector<fs::path> result;
  for (const auto& entry : fs::directory_iterator(fs::path(PAASCTL_TEST_DATA) / "golden")) {
    if (entry.path().extension() == ".yaml") result.push_back(entry.path());
  }
  std::sort(result.begin(), result.end());
  return result;
}

TEST_CASE("stack: each wrong file has the errors that were accepted for it") {
  const bool accepting = std::getenv("PAASCTL_ACCEPT") != nullptr;
  const auto files = golden_files();
  REQUIRE(files.size() >= 15);
  for (const auto& file : files) {
    std::string shown;
    for (const auto& problem : parse(read_file(file)).problems) {
      shown += render(problem, file.filename().string()) + "\n";
    }
    const auto expected = fs::path(file).replace_extension(".errors");
    INFO(file.filename().string());
    CHECK_FALSE(shown.empty());
    if (accepting) {
      std::ofstream(expected, std::ios::binary) << shown;
    } else {
      CHECK(shown == read_file(expected));
    }
  }
  // What was only written down has not been checked against anything.
  if (accepting)
    FAIL("the errors were accepted: read the difference, then run without PAASCTL_ACCEPT");
}

}  // namespace
}  // namespace paas::stack
