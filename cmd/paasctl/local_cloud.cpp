// Wires the local cloud to this machine.
#include "local_cloud.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "cloud/docker_world.hpp"
#include "cloud/node_image.hpp"
#include "docker/host.hpp"
#include "system/curl_http.hpp"
#include "system/posix_processes.hpp"
#include "system/system_clock.hpp"

namespace paas::cli {

Result<std::string> state_folder(Program& program, const std::string& named) {
  auto folder = named;
  if (folder.empty()) {
    PAAS_TRY(folder, cloud::default_state_folder(program.ports.environment));
  }
  std::error_code code;
  const auto absolute = std::filesystem::absolute(folder, code).lexically_normal().string();
  return code ? folder : absolute;
}

void declare_state(CLI::App& command, std::string& state) {
  command
      .add_option("--state", state,
                  "Folder of the cloud; without it the one that `cloud: local` uses. To others a "
                  "stack gets with `cloud: digitalocean` and the exports of `cloud env`")
      ->type_name("DIR");
}

cloud::CloudSettings earlier_settings(Program& program, const std::string& folder) {
  auto& files = program.ports.files;
  cloud::CloudSettings settings;
  settings.state_folder = folder;
  // What a start wrote that made no cloud is nobody's wish for the next one.
  const auto now = cloud::status(files, folder);
  if (!now || now->phase == cloud::CloudPhase::absent) return settings;
  return cloud::read_settings(files, folder).value_or(settings);
}

namespace {

bool names_engine(Program& program) {
  return !program.ports.environment.get("DOCKER_HOST").value_or("").empty();
}

/// /var/run is often a link to /run.
bool is_same_file(const std::string& left, const std::string& right) {
  std::error_code code;
  return left == right || std::filesystem::equivalent(left, right, code);
}

}  // namespace

Result<std::string> engine_socket_of(Program& program) {
  PAAS_TRY(auto usual, docker::engine_socket(program.ports.environment));
  const auto folder = cloud::default_state_folder(program.ports.environment);
  if (names_engine(program) || !folder) return usual;
  const auto settings = cloud::read_settings(program.ports.files, *folder);
  if (!settings || settings->engine_socket.empty() || settings->engine_socket == usual) {
    return usual;
  }
  // Asked only here: few have a cloud on an engine of its own.
  if (docker::Engine(program.ports.engine_http, usual).ping()) return usual;
  return settings->engine_socket;
}

Result<std::string> cloud_engine_socket(Program& program, const std::string& folder) {
  // Another engine that answers knows nothing of this cloud's machines, whoever named it.
  const auto settings = cloud::read_settings(program.ports.files, folder);
  if (!settings || settings->engine_socket.empty()) return engine_socket_of(program);
  const auto& recorded = settings->engine_socket;
  if (!names_engine(program)) return recorded;
  const auto named = docker::engine_socket(program.ports.environment);
  if (named && is_same_file(*named, recorded)) return recorded;
  program.say(
      fmt::format("note: the local cloud's machines are on unix://{}, so DOCKER_HOST ({}) is not "
                  "used for them",
                  recorded, *program.ports.environment.get("DOCKER_HOST")));
  return recorded;
}

Result<cloud::Endpoint> start_local_cloud(Program& program, cloud::CloudSettings settings) {
  PAAS_CHECK(cloud::check_settings(program.ports.files, settings));
  if (!settings.metadata_only) {
    // A new cloud is made where DOCKER_HOST says, whatever a start that failed has recorded.
    const bool is_new = settings.engine_socket.empty() && names_engine(program);
    PAAS_TRY(settings.engine_socket, is_new ? docker::engine_socket(program.ports.environment)
                                            : cloud_engine_socket(program, settings.state_folder));
    // Made here and not by the background process, so that the minutes it takes can be watched and
    // interrupted.
    PAAS_TRY(settings.node_image,
             CloudPorts(program, settings.engine_socket).machine_image(settings.node_choice));
  }
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
  Result<std::string> socket;
  std::unique_ptr<docker::Engine> engine;
};

CloudPorts::CloudPorts(Program& program, Result<std::string> socket)
    : program_(program), parts_(std::make_unique<Parts>()) {
  parts_->socket = std::move(socket);
  parts_->engine = std::make_unique<docker::Engine>(parts_->http, parts_->socket.value_or(""));
}

CloudPorts::~CloudPorts() = default;

Result<std::string> CloudPorts::machine_image(const std::string& choice) {
  if (choice != "bare" && choice != "full") return choice;
  PAAS_TRY(const auto socket, parts_->socket);
  cloud::NodeImageOptions options;
  options.flavour = choice == "bare" ? cloud::NodeFlavour::bare : cloud::NodeFlavour::full;
  options.docker_host = "unix://" + socket;
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
    PAAS_CHECK(parts_->socket);
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
