// What a fuzz target demands of the code; what breaks it ends a fuzzer and fails a unit test.
#pragma once

#include <stdexcept>
#include <string>

namespace paas::fuzz {

class Broken : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Nobody catches this in a fuzzer, so that libFuzzer keeps the input.
inline void demand(bool holds, const std::string& what) {
  if (!holds) throw Broken(what);
}

}  // namespace paas::fuzz
