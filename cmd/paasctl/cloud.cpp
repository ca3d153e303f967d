// `paasctl cloud`: the DigitalOcean-compatible cloud on this machine's Docker Engine.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud_fault.hpp"
#include "local_cloud.hpp"
#include "program.hpp"
#include "report/style.hpp"

namespace paas::cli {

namespace {

/// What is not given stays as the cloud had it before.
struct UpOptions {
  std::optional<std::string> address;
  std::string state;
  std::optional<std::string> latency;
  std::optional<std::string> node_image;
  std::optional<std::string> rate_limits;
  std::optional<int> droplet_limit;
  bool metadata_only = false;
};

Result<std::chrono::milliseconds> parse_latency(const std::string& text) {
  const bool milliseconds = text.ends_with("ms");
  const auto number = text.substr(0, text.size() - (milliseconds ? 2 : 1));
  const auto value = text::to_integer(number);
  if (!value || *value < 0 || *value > 60'000 || (!milliseconds && !text.ends_with('s'))) {
    return fail(ErrorKind::usage,
                fmt::format("--latency: \"{}\" is not a time such as 20ms", text));
  }
  return std::chrono::milliseconds(milliseconds ? *value : *value * 1000);
}

Result<cloud::CloudSettings> with_options(cloud::CloudSettings settings, const UpOptions& options) {
  settings.address = options.address.value_or(settings.address);
  if (options.latency) {
    PAAS_TRY(settings.latency, parse_latency(*options.latency));
  }
  settings.node_choice = options.node_image.value_or(settings.node_choice);
  settings.metadata_only = settings.metadata_only || options.metadata_only;
  settings.droplet_limit = options.droplet_limit.value_or(settings.droplet_limit);
  if (options.rate_limits) settings.enforce_rate_limits = *options.rate_limits == "on";
  return settings;
}

/// A cloud that runs is not changed, so what was asked for has to be what it has.
Status check_unchanged(const cloud::CloudSettings& earlier, const cloud::CloudSettings& wanted,
                       const cloud::Endpoint& running) {
  std::string has;
  if (wanted.address != earlier.address && "http://" + wanted.address != running.url) {
    has = "--address " + earlier.address;
  }
  if (wanted.latency != earlier.latency) {
    has = fmt::format("--latency {}ms", earlier.latency.count());
  }
  if (wanted.node_choice != earlier.node_choice) has = "--node-image " + earlier.node_choice;
  if (wanted.droplet_limit != earlier.droplet_limit) {
    has = fmt::format("--droplet-limit {}", earlier.droplet_limit);
  }
  if (wanted.enforce_rate_limits != earlier.enforce_rate_limits) {
    has = fmt::format("--rate-limits {}", earlier.enforce_rate_limits ? "on" : "off");
  }
  if (has.empty()) return {};
  return fail(ErrorKind::invalid, "the local cloud runs already, with " + has,
              "end it with `paasctl cloud down` first; it keeps what it has");
}

Result<int> up(Program& program, const UpOptions& options) {
  PAAS_TRY(const auto folder, state_folder(program, options.state));
  const auto earlier = earlier_settings(program, folder);
  PAAS_TRY(const auto settings, with_options(earlier, options));
  PAAS_CHECK(cloud::check_settings(program.ports.files, settings));
  PAAS_TRY(const auto running, cloud::endpoint(program.ports.files, folder));
  if (running) {
    PAAS_CHECK(check_unchanged(earlier, settings, *running));
    program.say(fmt::format("The local cloud runs already: {}", running->url));
    program.print(running->url + "\n");
    return exit_done;
  }
  PAAS_TRY(const auto endpoint, start_local_cloud(program, settings));
  program.say(fmt::format("The local cloud {} is up.", endpoint.name));
  program.print(endpoint.url + "\n");
  return exit_done;
}

struct StateOptions {
  std::string state;
};

struct DownOptions {
  std::string state;
  bool purge = false;
};

Result<int> down(Program& program, const DownOptions& options) {
  PAAS_TRY(const auto folder, state_folder(program, options.state));
  PAAS_TRY(const auto stopped, cloud::stop(program.ports.files, program.ports.clock, folder));
  CloudPorts ports(program, cloud_engine_socket(program, folder));
  if (options.purge) {
    PAAS_CHECK(cloud::purge(ports.ports(), folder));
    program.say("The local cloud and everything it made is gone.");
    return exit_done;
  }
  PAAS_TRY(const auto now, cloud::status(program.ports.files, folder));
  if (now.phase == cloud::CloudPhase::absent) {
    program.say(fmt::format("Nothing to do: there is no local cloud in {}.", folder));
    return exit_done;
  }
  // One that was ended took its machines down; one whose process was killed left them running.
  if (stopped == cloud::Stopped::did_not_run) {
    PAAS_CHECK(cloud::stop_machines(ports.ports(), folder));
  }
  program.say("The local cloud is stopped; `paasctl cloud up` brings it back as it was.");
  return exit_done;
}

const char* name_of(cloud::CloudPhase phase) {
  switch (phase) {
    case cloud::CloudPhase::absent:
      return "absent";
    case cloud::CloudPhase::stopped:
      return "stopped";
    case cloud::CloudPhase::starting:
      return "starting";
    case cloud::CloudPhase::running:
      return "running";
  }
  return "";
}

/// How many machines run without a process to serve them. Unknown when no engine answers.
std::optional<int> machines_left(Program& program, const std::string& folder,
                                 const cloud::CloudStatus& now) {
  if (now.phase != cloud::CloudPhase::stopped || now.metadata_only) return std::nullopt;
  CloudPorts ports(program, cloud_engine_socket(program, folder));
  const auto count = cloud::running_machines(ports.ports(), folder);
  return count ? std::optional(*count) : std::nullopt;
}

Result<int> status(Program& program, const StateOptions& options) {
  PAAS_TRY(const auto folder, state_folder(program, options.state));
  PAAS_TRY(const auto now, cloud::status(program.ports.files, folder));
  const auto machines = machines_left(program, folder, now);
  if (machines.value_or(0) > 0) {
    program.say(fmt::format("warning: its process is gone, but {} of its machines run", *machines));
    program.say("hint: `paasctl cloud down` stops them, `paasctl cloud up` serves them again");
  }
  if (program.wants_document()) {
    nlohmann::ordered_json document = {
        {"status", name_of(now.phase)}, {"name", now.name}, {"state_folder", folder}};
    if (now.endpoint) {
      document["url"] = now.endpoint->url;
      document["process"] = now.endpoint->process;
      document["gateway_url"] = now.endpoint->gateway_url;
    }
    if (machines) document["running_machines"] = *machines;
    program.print_document(document.dump(2) + "\n");
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {{"CLOUD", "STATUS", "URL", "PROCESS", "STATE"}};
  rows.push_back({now.name.empty() ? "-" : now.name, name_of(now.phase),
                  now.endpoint ? now.endpoint->url : "-",
                  now.endpoint ? std::to_string(now.endpoint->process) : "-", folder});
  program.print(report::table(rows));
  return exit_done;
}

Result<int> environment(Program& program, const StateOptions& options) {
  PAAS_TRY(const auto folder, state_folder(program, options.state));
  PAAS_TRY(const auto endpoint, cloud::endpoint(program.ports.files, folder));
  if (!endpoint) {
    return fail(ErrorKind::unreachable, "the local cloud does not run",
                "start it with `paasctl cloud up`");
  }
  // doctl reads the first two, Terraform's provider the first and the third.
  program.print(
      fmt::format("export DIGITALOCEAN_API_URL={0}\n"
                  "export DIGITALOCEAN_ACCESS_TOKEN={1}\n"
                  "export DIGITALOCEAN_TOKEN={1}\n",
                  endpoint->url, endpoint->token));
  return exit_done;
}

/// The background process itself.
Result<int> serve(Program& program, const StateOptions& options) {
  PAAS_TRY(const auto settings, cloud::read_settings(program.ports.files, options.state));
  CloudPorts ports(program, settings.engine_socket);
  PAAS_CHECK(cloud::run(settings, ports.ports(), program.ports.stop));
  return exit_done;
}

}  // namespace

void register_cloud(Program& program) {
  auto& group = *add_group(program, "cloud",
                           "The local cloud: DigitalOcean's API over real machines on this host");
  add_command<UpOptions>(
      program, group, "up", "Start the local cloud in the background, or bring it back",
      [](CLI::App& command, UpOptions& options) {
        command
            .add_option("--address", options.address, "Where it listens; port 0 is any free one")
            ->type_name("HOST:PORT")
            ->default_str("127.0.0.1:0");
        declare_state(command, options.state);
        command.add_flag("--metadata-only", options.metadata_only, "Droplets are records only");
        command.add_option("--latency", options.latency, "Added to every answer")
            ->type_name("TIME")
            ->default_str("0ms");
        command
            .add_option(
                "--node-image", options.node_image,
                "What debian-12-x64 is: full (with Docker and HAProxy), bare, or a Docker image")
            ->default_str("full");
        command
            .add_option("--rate-limits", options.rate_limits,
                        "Refuse with 429 beyond 5,000 requests an hour and 250 a minute: on or off")
            ->type_name("ON|OFF")
            ->check(CLI::IsMember({"on", "off"}))
            ->default_str("off");
        command
            .add_option("--droplet-limit", options.droplet_limit,
                        "How many droplets the account may have")
            ->type_name("N")
            ->check(CLI::Range(0, 1'000'000))
            ->default_str("1000");
      },
      up,
      "  paasctl cloud up\n"
      "  paasctl cloud up --metadata-only --latency 20ms --state /tmp/practice\n"
      "  paasctl cloud up --node-image bare");
  add_command<DownOptions>(
      program, group, "down", "Stop the local cloud; with --purge nothing of it is left",
      [](CLI::App& command, DownOptions& options) {
        declare_state(command, options.state);
        command.add_flag("--purge", options.purge,
                         "Remove its machines, networks, volumes, devices, routes and files");
      },
      down, "  paasctl cloud down\n  paasctl cloud down --purge");
  add_command<StateOptions>(
      program, group, "status", "Show whether the local cloud runs and where",
      [](CLI::App& command, StateOptions& options) { declare_state(command, options.state); },
      status, "  paasctl cloud status\n  paasctl cloud status -o json", {"json", "yaml"});
  add_command<StateOptions>(
      program, group, "env", "Print the exports that doctl and Terraform take",
      [](CLI::App& command, StateOptions& options) { declare_state(command, options.state); },
      environment,
      "  eval \"$(paasctl cloud env)\"\n"
      "  doctl compute droplet list\n"
      "  eval \"$(paasctl cloud env --state DIR)\"    for stacks with cloud: digitalocean");
  register_cloud_fault(program, group);
  auto* internal = add_command<StateOptions>(
      program, group, "serve", "The background process of `cloud up`",
      [](CLI::App& command, StateOptions& options) {
        command.add_option("--state", options.state, "Folder of the cloud")->required();
      },
      serve, "  paasctl cloud serve --state DIR");
  internal->group("");
}

}  // namespace paas::cli
