// Randomness that is the same whenever a test is run.
#pragma once

#include <string>

#include "ports/random.hpp"

namespace paas::reconcile::testing {

class Numbers : public Random {
 public:
  /// What is made after another start differs.
  explicit Numbers(unsigned start = 0) : last_(start) {}

  std::string bytes(std::size_t count) override {
    std::string result;
    for (std::size_t i = 0; i < count; ++i) result += static_cast<char>(++last_ % 200);
    return result;
  }

 private:
  unsigned last_;
};

}  // namespace paas::reconcile::testing
