// A cloud of real machines for one test, purged when the test ends.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "cloud/docker_world.hpp"
#include "docker/engine.hpp"
#include "system/curl_http.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/system_clock.hpp"

namespace paas::cloud::testing {

/// What every test shares with the machine that it runs on.
struct Host {
  system::CurlHttp http;
  system::PosixProcesses processes;
  system::PosixFiles files;
  system::SystemClock clock;
  std::string socket;
  docker::Engine engine;

  Host();
  /// A shell command on the host; its output. Fails the test when its status is not 0.
  std::string shell(const std::string& command);
};

/// Rules that let everything out, and in what the test says.
TrafficRules allow(std::vector<TrafficRule> inbound);
TrafficRule tcp(int port, std::vector<std::string> addresses = {"0.0.0.0/0", "::/0"});

class TestCloud {
 public:
  TestCloud();
  ~TestCloud();

  Host host;
  WorldSettings settings;
  std::string image;  ///< A full node image.
  std::string vpc_range;
  std::string other_vpc_range;
  ServiceAddresses addresses;
  std::unique_ptr<DockerWorld> world;

  std::unique_ptr<DockerWorld> make_world();
  /// Applies an effect; its error, "" when it succeeded.
  std::string apply(EffectKind kind);
  std::uint64_t snapshot(std::int64_t droplet_id, const std::string& machine_image);
  CreateMachine machine(std::int64_t droplet_id, TrafficRules rules = {}) const;
  std::string public_address(std::int64_t droplet_id) const;
  std::string private_address(std::int64_t droplet_id) const;
  std::string reserved_address() const;
  std::string container(std::int64_t droplet_id) const;

  struct Outcome {
    int status = 0;
    std::string output;
  };
  /// A bash command inside a machine.
  Outcome inside(std::int64_t droplet_id, const std::string& command);
  std::string output_inside(std::int64_t droplet_id, const std::string& command);
  /// Whether a TCP connection from inside a machine gets an answer within two seconds.
  bool connects(std::int64_t droplet_id, const std::string& address, int port);
  /// Whether it connects in the end: cloud-init restarts sshd while a machine boots.
  bool reaches(std::int64_t droplet_id, const std::string& address, int port);
  /// Something that answers "hello" on a port of the machine.
  void listen(std::int64_t droplet_id, int port);
  /// Asks again and again until it is true or the time is up.
  bool eventually(const std::function<bool()>& condition,
                  std::chrono::seconds limit = std::chrono::minutes(3));
  /// Whether sshd greets whom the host sends.
  bool greets(const std::string& address);
  /// Whether it boots to its end: sshd greets for good once cloud-init has restarted it.
  bool boots(std::int64_t droplet_id);
  /// Waits for the machine's own Docker Engine, and says why when it does not come.
  void await_docker(std::int64_t droplet_id);

  /// What the world reported last.
  std::optional<bool> reported(std::int64_t droplet_id);
  /// Whether it ever reported that the machine is off.
  bool ended(std::int64_t droplet_id);
  void forget_reports();
  void watch();

  /// Everything on this machine that bears the cloud's name, ranges or folder.
  std::string leftovers();

 private:
  std::mutex mutex_;
  std::map<std::int64_t, bool> reported_;
  std::set<std::int64_t> ended_;
  std::string folder_;
};

}  // namespace paas::cloud::testing
