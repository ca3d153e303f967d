// libFuzzer's entry of one target, which is chosen when this is compiled.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  paas::fuzz::PAASCTL_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
