// Quoting, proved by a real shell.
#include "ssh/quote.hpp"

#include <doctest/doctest.h>

#include "system/posix_processes.hpp"

namespace {

TEST_CASE("ssh: a quoted argument comes out of a shell as it went in") {
  paas::system::PosixProcesses processes;
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  const std::vector<std::string> arguments{
      "printf",           "%s|", "",  "a b", "it's", "''",
      "$(id) `id` $HOME", "*",   "~", "-n",  "\n",   every_byte};
  paas::ProcessRequest request;
  request.arguments = {"sh", "-c", paas::ssh::quote_all(arguments)};
  std::string expected;
  for (std::size_t i = 2; i < arguments.size(); ++i) expected += arguments[i] + "|";
  CHECK(processes.run(request)->output == expected);
}

TEST_CASE("ssh: words that mean something to a shell are quoted as well") {
  CHECK(paas::ssh::quote("if") == "'if'");
  CHECK(paas::ssh::quote("it's") == "'it'\\''s'");
  CHECK(paas::ssh::quote_all({"a", ""}) == "'a' ''");
}

}  // namespace
