// Starting the local cloud from the command line, and what its process needs.
#pragma once

#include <memory>
#include <string>

#include "cloud/daemon.hpp"
#include "docker/engine.hpp"
#include "program.hpp"

namespace paas::cli {

/// The folder named by --state, or the default one; absolute, because the cloud's process and later
/// commands may be elsewhere.
Result<std::string> state_folder(Program& program, const std::string& named);

/// Declares --state.
void declare_state(CLI::App& command, std::string& state);

/// How the cloud of the folder was run last, or how a new one is.
cloud::CloudSettings earlier_settings(Program& program, const std::string& folder);

/// Makes its machine image if need be and starts it in the background unless it runs, with its
/// log's lines on standard error.
Result<cloud::Endpoint> start_local_cloud(Program& program, cloud::CloudSettings settings);

/// The engine for images: DOCKER_HOST's, the usual one, or where that does not answer the one
/// behind this user's local cloud. Error (usage): DOCKER_HOST names no socket.
Result<std::string> engine_socket_of(Program& program);

/// The engine that has the machines of the folder's cloud, also when DOCKER_HOST names another one.
Result<std::string> cloud_engine_socket(Program& program, const std::string& folder);

/// The ports of a cloud's own process: nothing in them is interrupted by a signal, because a cloud
/// that ends still stops its machines. Worlds are made of this machine's Docker Engine.
/// Errors in finding the engine are those of what needs it.
class CloudPorts {
 public:
  /// `socket`: of the engine that has the machines.
  CloudPorts(Program& program, Result<std::string> socket);
  ~CloudPorts();
  CloudPorts(const CloudPorts&) = delete;
  CloudPorts& operator=(const CloudPorts&) = delete;

  cloud::RunPorts ports();
  /// Makes the machine image if need be. `choice`: "bare", "full", or an image's name.
  Result<std::string> machine_image(const std::string& choice);

 private:
  struct Parts;
  Program& program_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace paas::cli
