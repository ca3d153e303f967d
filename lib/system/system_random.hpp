// The kernel's generator of random bytes.
#pragma once

#include "ports/random.hpp"

namespace paas::system {

class SystemRandom : public Random {
 public:
  std::string bytes(std::size_t count) override;
};

}  // namespace paas::system
