// Programs of this machine, started with fork and exec and watched with poll(2).
#pragma once

#include <stop_token>
#include <utility>

#include "ports/process.hpp"

namespace paas::system {

/// Children of run() have a process group of their own, so that Ctrl-C reaches only this process
/// first; they get SIGTERM when this process dies. A run ends with its program: what a background
/// child of it writes later is not waited for.
class PosixProcesses : public Processes {
 public:
  explicit PosixProcesses(std::stop_token stop = {}) : stop_(std::move(stop)) {}
  Result<ProcessResult> run(const ProcessRequest& request) override;
  Result<int> run_attached(const std::vector<std::string>& arguments) override;
  Result<int> start_detached(const std::vector<std::string>& arguments,
                             const std::string& log_file) override;

 private:
  std::stop_token stop_;
};

}  // namespace paas::system
