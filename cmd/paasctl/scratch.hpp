// A private folder for the files of one run, swept by the next one if this one is killed.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "program.hpp"

namespace paas::cli {

/// Where control sockets and the stack's key go: the user's runtime folder, which is in memory, or
/// /tmp where there is none or its path is too long for a socket.
std::string runtime_base(Environment& environment);

class Scratch {
 public:
  /// A new folder below `base`. Those of runs that are no more, whose guard the kernel has dropped,
  /// are removed before.
  static Result<std::unique_ptr<Scratch>> make(Ports& ports, const std::string& base);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& folder() const { return folder_; }

 private:
  Scratch(Files& files, std::string folder, std::unique_ptr<FileGuard> guard)
      : files_(files), folder_(std::move(folder)), guard_(std::move(guard)) {}

  Files& files_;
  std::string folder_;
  std::unique_ptr<FileGuard> guard_;
};

}  // namespace paas::cli
