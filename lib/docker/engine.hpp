// Docker Engine's API over a unix socket: images, containers, networks and volumes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "ports/http.hpp"

namespace paas::docker {

struct EngineInfo {
  std::string version;
  std::string api_version;
  std::string driver;  ///< "overlay2"; containerd's snapshotters have another name.
  bool containerd_store = false;
  int cgroup_version = 1;
  std::string data_root;
};

struct ImageInfo {
  std::string id;                   ///< "sha256:..."
  std::vector<std::string> tags;    ///< "name:tag"
  std::vector<std::string> layers;  ///< Uncompressed layers' digests (diff ids), lowest first.
  std::map<std::string, std::string> labels;
  std::uint64_t size_bytes = 0;
  std::string created;  ///< RFC 3339
  std::string architecture;
};

struct PortBinding {
  std::string host_address;
  int host_port = 0;
  int container_port = 0;
  friend bool operator==(const PortBinding&, const PortBinding&) = default;
};

struct Mount {
  std::string source;  ///< Host path, or a volume's name.
  std::string target;
  bool read_only = false;
  friend bool operator==(const Mount&, const Mount&) = default;
};

struct ContainerSpec {
  std::string name;
  std::string image;
  /// Empty: the image's. With one, the image's command is left out as well.
  std::vector<std::string> entrypoint = {};
  std::vector<std::string> command;      ///< Empty: the image's.
  std::vector<std::string> environment;  ///< "NAME=value"
  std::map<std::string, std::string> labels;
  std::vector<PortBinding> ports;
  std::vector<Mount> mounts;
  std::string restart_policy = "unless-stopped";
  std::optional<int> stop_timeout_seconds;
  std::string hostname;
  bool auto_remove = false;  ///< Gone when it ends.
  bool open_input = false;   ///< Standard input stays open until whoever attached closes it.
  bool terminal = false;
};

struct ContainerInfo {
  std::string id;
  std::string name;  ///< Without the leading slash.
  std::string image_id;
  std::string state;  ///< created, running, restarting, exited, dead ...
  int exit_code = 0;
  int restart_count = 0;
  std::map<std::string, std::string> labels;
  std::string started_at;
  std::vector<PortBinding> ports;
  std::vector<std::string> environment;  ///< Only from inspect_container().
};

/// Who pulls from a registry.
struct RegistryLogin {
  std::string host;  ///< "docker.io", "ghcr.io", "127.0.0.1:5000"
  std::string username;
  Secret password;
};

/// Reads what the engine says of one container that is inspected. One without an identifier is
/// gone.
ContainerInfo container_from_inspection(const nlohmann::json& value);

enum class LogStream { output, error };

struct LogOptions {
  std::string tail = "all";  ///< Lines from the end, or "all".
  bool follow = false;
  bool timestamps = false;
  std::string since;  ///< Unix time; empty: from the start.
};

/// Whether a build takes steps that were done before from the engine's cache.
enum class BuildCache { use, ignore };

struct BuildOptions {
  std::string tag;
  std::string dockerfile = "Dockerfile";
  std::string target;
  std::map<std::string, std::string> args;
  std::map<std::string, std::string> labels;
  std::string platform{};  ///< "linux/amd64"; empty: the engine's own.
  BuildCache cache = BuildCache::use;
};

struct ExecResult {
  int exit_code = 0;
  std::string output;
  std::string error_output;
};

using OnText = std::function<void(std::string_view)>;

struct Call;

struct ExecOptions {
  std::string input{};                                          ///< For its standard input.
  std::chrono::milliseconds timeout = std::chrono::minutes(5);  ///< Until it has ended.
};

/// Runs a request whose connection becomes a raw stream both ways (exec with input). Parameters:
/// the socket, the path with its query, the JSON body, the input and the time it may take; the sink
/// gets what comes back. See hijack.hpp.
using Hijack = std::function<Status(const std::string& socket, const std::string& path,
                                    const std::string& body, const ExecOptions& options,
                                    const std::function<Status(std::string_view)>& sink)>;

/// How an engine is spoken of, and reached.
struct EngineOptions {
  std::string name = "Docker Engine";
  /// What messages call the socket; "": its path.
  std::string address{};
  /// What to do when it does not answer; "": start one here, or set DOCKER_HOST.
  std::string hint{};
  /// Replaces the real connection of exec with input (for tests).
  Hijack hijack{};
};

/// One engine. Errors: unreachable (with the hint of its options), timed_out, not_found, exists
/// (409), failed with the engine's own message.
class Engine {
 public:
  /// Over a unix socket, local or forwarded from a server. Copies share what was learnt about the
  /// engine; all functions may be called from several threads at once.
  Engine(Http& http, std::string socket, EngineOptions options = {});

  Status ping();
  /// The version of the API that requests use, agreed with the engine on the first request.
  Result<std::string> api_version();
  Result<EngineInfo> info();
  /// Whether images are in containerd's store, where identifiers are not digests of configurations;
  /// asked once.
  Result<bool> has_containerd_store();

  /// One request for the list and one for each image.
  Result<std::vector<ImageInfo>> images();
  /// The identifiers alone, with one request.
  Result<std::vector<std::string>> image_ids();
  Result<ImageInfo> inspect_image(const std::string& reference);
  Result<nlohmann::json> inspect_image_json(const std::string& reference);
  /// The digest of the image's configuration, "sha256:...", which is the same on every engine. The
  /// identifier on the classic store; read out of an exported archive on containerd's.
  Result<std::string> config_digest(const std::string& reference);
  Status tag_image(const std::string& source, const std::string& name, const std::string& tag);
  Status remove_image(const std::string& reference);
  /// The login goes with this one request and is kept nowhere.
  Status pull_image(const std::string& reference, const OnText& on_progress,
                    const std::optional<RegistryLogin>& login = std::nullopt);
  /// Streams the archive of `GET /images/NAME/get`.
  Status save_image(const std::string& reference,
                    const std::function<Status(std::string_view)>& sink);
  /// Streams an archive into `POST /images/load`; `length` in bytes when known.
  Status load_image(std::function<Result<std::string>(std::size_t)> source,
                    std::optional<std::uint64_t> length);
  /// Builds with the classic builder from a tar archive of the context; `on_output` gets the
  /// build's lines as they come. The image's id.
  Result<std::string> build_image(const BuildOptions& options,
                                  std::function<Result<std::string>(std::size_t)> context,
                                  const OnText& on_output);

  Result<std::string> create_container(const ContainerSpec& spec);
  /// With a body of the Engine API's own shape, for what ContainerSpec does not cover.
  Result<std::string> create_container(const std::string& name, const nlohmann::json& body);
  Status start_container(const std::string& container);
  Status stop_container(const std::string& container, int timeout_seconds);
  Status kill_container(const std::string& container, const std::string& signal);
  /// Freezes its processes and lets them go on.
  Status pause_container(const std::string& container);
  Status unpause_container(const std::string& container);
  /// Removes it with its anonymous volumes, running or not; what is not there is no error.
  Status remove_container(const std::string& container);
  /// All containers (running or not) that carry every one of these labels ("key" or "key=value").
  /// The list lacks restart_count and started_at, which inspect_container() has.
  Result<std::vector<ContainerInfo>> containers(const std::vector<std::string>& labels);
  Result<ContainerInfo> inspect_container(const std::string& container);
  Result<nlohmann::json> inspect_container_json(const std::string& container);
  Status logs(const std::string& container, const LogOptions& options,
              const std::function<Status(LogStream, std::string_view)>& sink);
  /// Runs a command in a running container and waits for its end. The exit code of a program that
  /// is not there is 126 or 127, as in a shell. After timed_out it may still run.
  Result<ExecResult> exec(const std::string& container, const std::vector<std::string>& arguments,
                          const ExecOptions& options = {});
  Result<std::string> commit_container(const std::string& container, const std::string& repository,
                                       const std::string& tag);

  Result<std::string> create_network(const nlohmann::json& body);
  /// What is not there is no error.
  Status remove_network(const std::string& name);
  Status connect_network(const std::string& network, const std::string& container,
                         const std::string& address);
  Status disconnect_network(const std::string& network, const std::string& container);
  Result<nlohmann::json> networks(const std::vector<std::string>& labels);
  Result<std::string> create_volume(const std::string& name,
                                    const std::map<std::string, std::string>& labels);
  /// What is not there is no error.
  Status remove_volume(const std::string& name);
  Result<nlohmann::json> volumes(const std::vector<std::string>& labels);

  const std::string& name() const { return options_.name; }
  const std::string& socket() const { return socket_; }

 private:
  struct Agreed;

  Result<HttpResponse> send(const Call& call);
  Result<nlohmann::json> fetch(const Call& call);
  Result<int> exit_code_of(const std::string& exec_path,
                           std::chrono::steady_clock::time_point deadline);
  Error explain(Error error) const;
  Error refusal(const HttpResponse& response) const;

  Http& http_;
  std::string socket_;
  EngineOptions options_;
  std::shared_ptr<Agreed> agreed_;
};

}  // namespace paas::docker
