// The process of a local cloud, from taking its folder to giving it back.
#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "base/text.hpp"
#include "cloud/daemon.hpp"
#include "cloud/identity.hpp"
#include "cloud/metadata_world.hpp"
#include "cloud/server.hpp"
#include "cloud/state_folder.hpp"
#include "cloud/state_json.hpp"

namespace paas::cloud {
namespace {

constexpr std::uint32_t folder_mode = 0700;
/// A cloud without machines needs no range of its own.
constexpr const char* records_range = "198.18.0.0/15";

std::vector<std::string> host_ranges(Files& files) {
  const auto table = files.read("/proc/net/route");
  return table ? parse_route_table(*table) : std::vector<std::string>();
}

std::uint64_t as_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

Result<State> new_state(const CloudSettings& settings, const RunPorts& ports) {
  State state;
  state.settings.name = name_of_folder(settings.state_folder);
  state.settings.token = "dop_v1_" + text::hex(ports.random.bytes(32));
  state.settings.seed = as_number(ports.random.bytes(8));
  state.settings.metadata_only = settings.metadata_only;
  if (settings.metadata_only) {
    state.settings.public_range = records_range;
  } else {
    PAAS_TRY(state.settings.public_range,
             choose_public_range(state.settings.name, host_ranges(ports.files)));
  }
  return state;
}

Result<State> load_state(const CloudSettings& settings, const RunPorts& ports) {
  const auto path = state_file(settings.state_folder);
  PAAS_TRY(const auto found, ports.files.info(path));
  if (!found) return new_state(settings, ports);
  PAAS_TRY(const auto text, ports.files.read(path));
  auto state = decode(text);
  if (!state) return fail(state.error(), "reading " + path);
  return state;
}

Result<std::unique_ptr<World>> make_world(const State& state, const CloudSettings& settings,
                                          const RunPorts& ports) {
  if (settings.metadata_only) {
    return std::make_unique<MetadataWorld>(
        ports.clock, MetadataDelays{settings.machine_delay, std::chrono::milliseconds(0)});
  }
  if (!ports.worlds.make_world) {
    return fail(ErrorKind::failed, "there is no engine for machines here");
  }
  return ports.worlds.make_world(
      {state.settings.name, settings.state_folder, state.settings.public_range});
}

/// Whether somebody may rely on an address out of the public range.
bool has_addresses(const State& state) {
  return !state.droplets.empty() || !state.reserved_ips.empty();
}

struct Started {
  std::unique_ptr<World> world;
  ServiceAddresses addresses;
};

/// The range was free when it was chosen. When something else on this machine has it by now, and
/// nobody an address, another one is chosen.
Result<Started> start_world(State& state, const CloudSettings& settings, const RunPorts& ports) {
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    // Kept before anything is made on the machine, so that it can be found and removed.
    PAAS_CHECK(
        ports.files.write_atomically(state_file(settings.state_folder), encode(state), 0600));
    PAAS_TRY(auto world, make_world(state, settings, ports));
    auto addresses = world->start();
    if (addresses) return Started{std::move(world), std::move(*addresses)};
    const bool conflict = addresses.error().kind == ErrorKind::exists && !has_addresses(state);
    if (!conflict || attempt == attempts) return fail(addresses.error());
    ports.log(describe(addresses.error()));
    auto used = host_ranges(ports.files);
    used.push_back(state.settings.public_range);
    PAAS_TRY(state.settings.public_range, choose_public_range(state.settings.name, used));
  }
}

void wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock guard(mutex);
  changed.wait(guard, stop, [] { return false; });
}

/// Everything between a world that is ready and one that is to stop.
Status serve(State state, World& world, const ServiceAddresses& addresses,
             const CloudSettings& settings, const RunPorts& ports, const std::stop_token& stop) {
  const auto& folder = settings.state_folder;
  const auto token = state.settings.token;
  const auto name = state.settings.name;
  ServiceOptions options;
  options.state_file = state_file(folder);
  options.log = [&](const std::string& line) { ports.log(line); };
  if (!settings.metadata_only) {
    options.host_ranges = [&] { return host_ranges(ports.files); };
  }
  Service service(std::move(state), world, ports.files, ports.clock, std::move(options));
  PAAS_CHECK(service.start());

  PAAS_TRY(auto server_options, parse_address(settings.address));
  server_options.latency = settings.latency;
  PAAS_TRY(auto server, listen(service, server_options));
  std::unique_ptr<Server> gateway;
  if (!addresses.gateway.empty()) {
    PAAS_TRY(gateway, listen(service, {addresses.gateway, addresses.metadata_port, settings.latency,
                                       ServeMetadata::yes}));
  }
  PAAS_CHECK(write_endpoint(ports.files, folder,
                            {server->url(), token, ::getpid(), name,
                             gateway == nullptr ? std::string() : gateway->url()}));
  ports.log(fmt::format("cloud {} serves {}", name, server->url()));
  wait_for(stop);
  ports.log("stopping");
  // First nobody finds it any more, then nothing new comes in, then what is under way ends.
  const auto forgotten = ports.files.remove(endpoint_file(folder));
  server.reset();
  gateway.reset();
  PAAS_CHECK(service.stop());
  return forgotten;
}

}  // namespace

Status check_settings(Files& files, const CloudSettings& settings) {
  PAAS_CHECK(parse_address(settings.address));
  const auto made = identity_in(files, settings.state_folder);
  if (!made || made->metadata_only == settings.metadata_only) return {};
  return fail(ErrorKind::invalid,
              fmt::format("the cloud in {} was made {} machines", settings.state_folder,
                          made->metadata_only ? "without" : "with"),
              "Give another --state folder, or remove this one with `paasctl cloud down --purge`.");
}

Status run(const CloudSettings& settings, const RunPorts& ports, std::stop_token stop) {
  const auto& folder = settings.state_folder;
  auto& files = ports.files;
  PAAS_CHECK(check_settings(files, settings));
  PAAS_CHECK(files.make_directories(folder, folder_mode));
  PAAS_TRY(const auto guard, take_guard(files, ports.clock, folder));
  remove_leftovers(files, folder);
  PAAS_CHECK(files.remove(endpoint_file(folder)));

  PAAS_TRY(auto state, load_state(settings, ports));
  state.settings.droplet_limit = settings.droplet_limit;
  state.settings.enforce_rate_limits = settings.enforce_rate_limits;
  state.settings.machine_image = settings.node_image;
  if (settings.node_image.empty() && !settings.metadata_only) {
    PAAS_TRY(state.settings.machine_image, ports.worlds.machine_image());
  }
  PAAS_TRY(const auto started, start_world(state, settings, ports));
  const auto& [world, addresses] = started;
  state.settings.gateway = addresses.gateway;

  const auto served = serve(std::move(state), *world, addresses, settings, ports, stop);
  const auto stopped = world->stop();
  if (!served) return served;
  return stopped;
}

}  // namespace paas::cloud
