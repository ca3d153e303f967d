// Randomness that is the same in every run.
#pragma once

#include <string>

#include "ports/random.hpp"

namespace paas::reconcile::testing {

class Numbers : public Random {
 public:
  std::string bytes(std::size_t count) override {
    std::string result;
    for (std::size_t i = 0; i < count; ++i) result += static_cast<char>(++last_ % 200);
    return result;
  }

 private:
  unsigned last_ = 0;
};

}  // namespace paas::reconcile::testing
