// Renders an error's message with its context on one line.
#include "base/error.hpp"

namespace paas {

std::string describe(const Error& error) {
  std::string text;
  for (auto layer = error.context.rbegin(); layer != error.context.rend(); ++layer) {
    text += *layer + ": ";
  }
  return text + error.message;
}

}  // namespace paas
