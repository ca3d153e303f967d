// The world of real machines: each droplet is a container of the Docker Engine on this machine.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <thread>
#include <vector>

#include "cloud/boot_script.hpp"
#include "cloud/host_network.hpp"
#include "cloud/ip_range.hpp"
#include "cloud/loop_devices.hpp"
#include "cloud/machine_record.hpp"
#include "cloud/machines.hpp"
#include "cloud/traffic_rules.hpp"
#include "docker/engine.hpp"
#include "ports/clock.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"

namespace paas::cloud {

/// Where the metadata service listens on each cloud's gateway: a machine's way there is fixed while
/// it runs, so the port must be the same after the cloud was started again.
inline constexpr int metadata_port = 16925;

/// Needs root and an engine that shares this process's file system. Everything is named or labelled
/// after the cloud, and is found again without a record. What it does is short or must be finished,
/// so give it ports (the engine's Http, Processes, Clock) that a request to stop does not
/// interrupt.
class DockerWorld : public World {
 public:
  DockerWorld(docker::Engine& engine, Processes& processes, Files& files, Clock& clock,
              WorldSettings settings);
  ~DockerWorld() override;
  DockerWorld(const DockerWorld&) = delete;
  DockerWorld& operator=(const DockerWorld&) = delete;

  Result<ServiceAddresses> start() override;
  EffectDone apply(const Effect& effect) override;
  void watch(std::function<void(std::int64_t droplet_id, bool running)> on_change) override;
  Status stop() override;
  Result<int> running_machines() override;
  Status purge() override;

 private:
  struct Machine {
    std::mutex mutex;  ///< Held while something is done to the machine.
    MachineRecord record;
  };
  using MachinePointer = std::shared_ptr<Machine>;

  // One function a kind of effect (docker_world_*.cpp).
  Status carry_out(const CreateNetwork& effect);
  Status carry_out(const RemoveNetwork& effect);
  Status carry_out(const CreateMachine& effect);
  Status carry_out(const DestroyMachine& effect);
  Status carry_out(const ChangePower& effect);
  Status carry_out(const SetRules& effect);
  Status carry_out(const CreateVolume& effect);
  Status carry_out(const RemoveVolume& effect);
  Status carry_out(const ResizeVolume& effect);
  Status carry_out(const AttachVolume& effect);
  Status carry_out(const DetachVolume& effect);
  Result<std::uint64_t> carry_out(const SnapshotMachine& effect);
  Status carry_out(const RemoveMachineImage& effect);
  Status carry_out(const AssignAddress& effect);
  Status carry_out(const UnassignAddress& effect);
  Status carry_out(const DisturbMachine& effect);
  Status carry_out(const ApplyTags&) { return {}; }
  Status carry_out(const ApplyNetworks&) { return {}; }

  /// Checks the settings and finds the canonical folder.
  Status settle();
  std::string cloud_label() const;

  // Networks.
  struct Network {
    std::string name;
    std::string vpc_id;  ///< Empty for the public one.
    std::string bridge;
    IpRange range;
  };
  enum class Reach { public_network, inside_only };
  Result<std::vector<Network>> networks();
  Status ensure_network(const std::string& vpc_id, const std::string& range_text, Reach reach);
  std::string public_network() const;
  std::string vpc_network(const std::string& vpc_id) const;
  /// Tells the host and all machines that the machine has the address now.
  Status announce(const Machine& machine, const std::string& address);

  // Machines. Those that take a Machine are called with its mutex held.
  std::string container_name(std::int64_t droplet_id) const;
  std::string docker_volume(std::int64_t droplet_id) const;
  std::string machine_folder(std::int64_t droplet_id) const;
  traffic_rules::MetadataEndpoint metadata() const;
  Result<MachinePointer> find(std::int64_t droplet_id);
  std::vector<MachinePointer> machines();
  Status load_machines();
  Status save(const Machine& machine);
  Status make_machine(const CreateMachine& effect, Machine& machine);
  Status destroy(std::int64_t droplet_id);
  Status write_rules(std::int64_t droplet_id, const TrafficRules& rules);
  /// Attaches the machine's loop devices and writes its boot script.
  Status prepare_boot(const Machine& machine);
  Status bring_back(const Machine& machine);
  Status start_container(const Machine& machine);
  Status stop_container(std::int64_t droplet_id);
  /// One after another, each with its anonymous volumes.
  Status remove_container(const std::string& container);
  Status await_rules(std::int64_t droplet_id);
  Status release_devices(const Machine& machine);
  /// Docker's word for it: "running", "exited" ...; empty when there is no container.
  Result<std::string> state_of(std::int64_t droplet_id);
  Result<bool> is_running(std::int64_t droplet_id);
  /// A program inside the machine, with this on its standard input. Also in one that stands still,
  /// whose engine runs nothing in it.
  Result<docker::ExecResult> exec_inside(std::int64_t droplet_id,
                                         const std::vector<std::string>& arguments,
                                         const std::string& input = {});
  /// A shell script inside the machine. Error (failed): its status is not 0, with what it printed.
  Status run_inside(std::int64_t droplet_id, const std::string& script);

  // Volumes and machine images.
  std::string volume_file(const std::string& volume_id) const;
  std::string image_volume(const std::string& machine_image) const;
  /// Where a Docker volume lies on the host.
  Result<std::string> mount_point(const std::string& volume);
  Status fill_docker_volume(const std::string& machine_image, const std::string& volume);
  Result<std::uint64_t> copy_machine(const std::string& container, const std::string& data,
                                     const std::string& machine_image);
  Status copy_folder(const std::string& from, const std::string& to);
  Result<std::uint64_t> folder_size(const std::string& folder);

  // Watching.
  void look_at(const docker::ContainerInfo& listed);
  /// Brings a machine back that wants to reboot, or remembers that it ended or came back.
  void take_note(const std::string& container_id, Machine& machine);
  void stop_watching();

  // Purging.
  /// Whether anything on this machine tells of containers, without asking the engine.
  Result<bool> has_traces();
  Status remove_containers();
  Status remove_volumes();
  Result<std::vector<docker::ImageInfo>> own_images();
  Status remove_images();
  Status remove_networks();
  Status check_nothing_left();

  docker::Engine& engine_;
  Processes& processes_;
  Files& files_;
  Clock& clock_;
  WorldSettings settings_;
  std::string folder_;  ///< Canonical; everything of this class lies below it.
  IpRange public_range_;
  int cgroup_version_ = 1;
  HostNetwork host_network_;
  LoopDevices loop_devices_;

  std::mutex machines_mutex_;
  std::map<std::int64_t, MachinePointer> machines_;
  std::mutex networks_mutex_;  ///< Checking that a range is free and taking it are one.
  /// Held while a machine's container is made to join or leave its networks. Docker Engine 20.10
  /// can lose count of a network's endpoints when several come and go at once, and never removes it
  /// then. A shutdown takes too long to be waited for by others, and goes beside them.
  std::mutex endpoints_mutex_;

  std::function<void(std::int64_t, bool)> on_change_;
  std::jthread watcher_;
};

}  // namespace paas::cloud
