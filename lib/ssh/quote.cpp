// Implementation of quoting for a POSIX shell.
#include "ssh/quote.hpp"

namespace paas::ssh {

// Everything is quoted, also what looks harmless: "if" and "A=b" mean something to a shell.
std::string quote(std::string_view argument) {
  std::string result = "'";
  for (const char character : argument) {
    if (character == '\'') {
      result += "'\\''";
    } else {
      result += character;
    }
  }
  return result + "'";
}

std::string quote_all(const std::vector<std::string>& arguments) {
  std::string result;
  for (const auto& argument : arguments) {
    if (!result.empty()) result += ' ';
    result += quote(argument);
  }
  return result;
}

}  // namespace paas::ssh
