// How a local cloud is to be run, and where it keeps what it knows.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/environment.hpp"
#include "ports/files.hpp"

namespace paas::cloud {

struct CloudSettings {
  /// Everything of the cloud lies below it; a cloud is known by its folder.
  std::string state_folder;
  std::string address = "127.0.0.1:0";
  /// Droplets are records only.
  bool metadata_only = false;
  /// Added to each answer.
  std::chrono::milliseconds latency{0};
  /// Docker image behind debian-12-x64; empty: the one that this release makes.
  std::string node_image;
  /// What the image was asked for as: "full", "bare", or an image's name. A newer release makes the
  /// first two anew.
  std::string node_choice = "full";
  /// The socket of the engine that has the machines. Kept because DOCKER_HOST may have been set
  /// only for the command that started the cloud.
  std::string engine_socket;
  int droplet_limit = 1000;
  bool enforce_rate_limits = false;
  /// A metadata-only cloud pretends that machines take this long.
  std::chrono::milliseconds machine_delay{0};
};

/// Where the command line finds a running cloud.
struct Endpoint {
  std::string url;
  std::string token;
  int process = 0;
  std::string name;
  /// For a controller on a droplet; empty when there are no machines.
  std::string gateway_url;
};

/// `$XDG_STATE_HOME/paasctl/cloud`, else `~/.local/state/paasctl/cloud`. Error (failed): neither
/// XDG_STATE_HOME nor HOME is set.
Result<std::string> default_state_folder(Environment& environment);

/// The name of a cloud that is made in the folder, from its real path: "c" and eight hexadecimal
/// digits. One that exists keeps its name in its state, also when its folder is moved.
std::string name_of_folder(const std::string& state_folder);

/// Files in the state folder.
std::string state_file(const std::string& state_folder);
std::string settings_file(const std::string& state_folder);
std::string endpoint_file(const std::string& state_folder);
std::string guard_file(const std::string& state_folder);
std::string log_file(const std::string& state_folder);

Status write_settings(Files& files, const CloudSettings& settings);
/// Error (not_found): there are none in the folder; (invalid): they cannot be read.
Result<CloudSettings> read_settings(Files& files, const std::string& state_folder);

Status write_endpoint(Files& files, const std::string& state_folder, const Endpoint& endpoint);
/// Nothing when there is no file, or none that can be read.
std::optional<Endpoint> read_endpoint(Files& files, const std::string& state_folder);

/// The destinations in the text of /proc/net/route, without the default one.
std::vector<std::string> parse_route_table(std::string_view table);

/// The first /20 of 198.18.0.0/15 that no route leads into, from one that the name decides on.
/// Error (failed): all are in use.
Result<std::string> choose_public_range(const std::string& name,
                                        const std::vector<std::string>& host_ranges);

}  // namespace paas::cloud
