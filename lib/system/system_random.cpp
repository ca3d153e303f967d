// Implementation with getrandom(2).
#include "system/system_random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace paas::system {

std::string SystemRandom::bytes(std::size_t count) {
  std::string result(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const auto part = ::getrandom(result.data() + filled, count - filled, 0);
    if (part > 0) {
      filled += static_cast<std::size_t>(part);
    } else if (errno != EINTR) {
      // Going on without randomness would make keys that can be guessed.
      std::abort();
    }
  }
  return result;
}

}  // namespace paas::system
