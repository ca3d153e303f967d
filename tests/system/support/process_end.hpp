// Waiting for the end of a process that is not a child of the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace paas::tests {

/// False when it still runs after five seconds. One that nobody has waited for yet has ended.
inline bool ends(pid_t process) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    if (::kill(process, 0) != 0) return true;
    std::ifstream state("/proc/" + std::to_string(process) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(state)), {});
    if (text.find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace paas::tests
