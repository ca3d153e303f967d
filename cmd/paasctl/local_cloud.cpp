// Wires the local cloud to this machine.
#include "local_cloud.hpp"

#include <fmt/format.h>

#include "cloud/docker_world.hpp"
#include "cloud/node_image.hpp"
#include "docker/host.hpp"
#include "system/curl_http.hpp"
#include "system/posix_processes.hpp"
#include "system/system_clock.hpp"

namespace paas::cli {

Result<std::string> state_folder(Program& program, const std::string& named) {
  if (!named.empty()) return named;
  return cloud::default_state_folder(program.ports.environment);
}

Result<cloud::Endpoint> start_local_cloud(Program& program, const cloud::CloudSettings& settings) {
  cloud::StartPorts ports{program.ports.files, program.ports.clock, program.ports.processes,
                          [&](std::string_view line) { program.say(std::string(line)); }};
  return cloud::start(
      settings, ports,
      {program.ports.executable, "cloud", "serve", "--state", settings.state_folder});
}

struct CloudPorts::Parts {
  system::CurlHttp http;
  system::PosixProcesses processes;
  system::SystemClock clock;
  std::string socket;
  std::unique_ptr<docker::Engine> engine;
};

CloudPorts::CloudPorts(Program& program) : program_(program), parts_(std::make_unique<Parts>()) {
  parts_->socket =
      docker::engine_socket(program.ports.environment).value_or("/var/run/docker.sock");
  parts_->engine = std::make_unique<docker::Engine>(parts_->http, parts_->socket);
}

CloudPorts::~CloudPorts() = default;

Result<std::string> CloudPorts::machine_image(const std::string& flavour) {
  cloud::NodeImageOptions options;
  options.flavour = flavour == "bare" ? cloud::NodeFlavour::bare : cloud::NodeFlavour::full;
  options.docker_host = "unix://" + parts_->socket;
  options.folder = "/tmp";
  options.on_progress = [this](std::string_view line) {
    program_.ports.terminal.write_error(std::string(line) + "\n");
  };
  return cloud::ensure_node_image(*parts_->engine, program_.ports.processes, program_.ports.files,
                                  options);
}

cloud::RunPorts CloudPorts::ports() {
  cloud::WorldMaker worlds;
  worlds.make_world =
      [this](const cloud::WorldSettings& settings) -> Result<std::unique_ptr<cloud::World>> {
    return std::make_unique<cloud::DockerWorld>(*parts_->engine, parts_->processes,
                                                program_.ports.files, parts_->clock, settings);
  };
  worlds.machine_image = [this] { return machine_image("full"); };
  return {program_.ports.files, parts_->clock, program_.ports.random, worlds,
          [this](std::string_view line) {
            program_.ports.terminal.write_error(std::string(line) + "\n");
          }};
}

}  // namespace paas::cli
