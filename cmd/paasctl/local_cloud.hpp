// Starting the local cloud from the command line, and what its process needs.
#pragma once

#include <memory>
#include <string>

#include "cloud/daemon.hpp"
#include "docker/engine.hpp"
#include "program.hpp"

namespace paas::cli {

/// The folder named by --state, or the default one.
Result<std::string> state_folder(Program& program, const std::string& named);

/// Starts it in the background unless it runs, with its log's lines on standard error.
Result<cloud::Endpoint> start_local_cloud(Program& program, const cloud::CloudSettings& settings);

/// The ports of a cloud's own process: nothing in them is interrupted by a signal, because a cloud
/// that ends still stops its machines. Worlds are made of this machine's Docker Engine.
class CloudPorts {
 public:
  explicit CloudPorts(Program& program);
  ~CloudPorts();
  CloudPorts(const CloudPorts&) = delete;
  CloudPorts& operator=(const CloudPorts&) = delete;

  cloud::RunPorts ports();
  /// Makes the machine image if need be. `flavour`: "bare" or "full".
  Result<std::string> machine_image(const std::string& flavour);

 private:
  struct Parts;
  Program& program_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace paas::cli
