// Randomness that is fit for keys and passwords.
#pragma once

#include <cstddef>
#include <string>

namespace paas {

class Random {
 public:
  virtual ~Random() = default;
  /// `count` bytes from the system's generator.
  virtual std::string bytes(std::size_t count) = 0;
};

}  // namespace paas
