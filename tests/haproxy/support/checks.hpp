// What configurations are held against.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "haproxy/configuration.hpp"
#include "haproxy/support/setups.hpp"

namespace paas::haproxy::test {

/// Compares with golden/NAME.cfg. With PAASCTL_ACCEPT=1 the file is written, which never counts as
/// passed.
inline void check_golden(const std::string& name, const std::string& text) {
  CAPTURE(name);
  const auto path = std::string(PAASCTL_TEST_DATA) + "/golden/" + name + ".cfg";
  const char* const accept = std::getenv("PAASCTL_ACCEPT");
  if (accept != nullptr && std::string(accept) == "1") {
    std::ofstream(path) << text;
    FAIL_CHECK("accepted " << path << "; run again without PAASCTL_ACCEPT");
    return;
  }
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, "cannot read " << path);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  CHECK(text == golden);
}

inline void check_golden(const std::string& name, const Setup& setup) {
  const auto rendered = render(setup);
  REQUIRE_MESSAGE(rendered, (rendered ? "" : rendered.error().message));
  check_golden(name, *rendered);
}

/// That a change of zipkick() is refused with an error that has this part.
inline void check_refused(const std::function<void(Setup&)>& change, const std::string& part) {
  auto setup = zipkick();
  change(setup);
  const auto rendered = render(setup);
  REQUIRE_FALSE(rendered);
  CHECK(rendered.error().kind == ErrorKind::invalid);
  CAPTURE(rendered.error().message);
  CHECK(rendered.error().message.find(part) != std::string::npos);
}

}  // namespace paas::haproxy::test
