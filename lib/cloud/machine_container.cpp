// The flags of a machine's container. DESIGN.md has them as `docker run` takes them; some are the
// command line's alone and look different here.
#include "cloud/machine_container.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace paas::cloud {
namespace {

/// The kernel's limit for a host name; droplets may have longer names.
constexpr std::size_t host_name_limit = 63;

}  // namespace

nlohmann::json container_body(const MachineRecord& record, const MachineContainer& options) {
  using nlohmann::json;
  const bool unified = options.cgroup_version == 2;
  // cloud-init's seed and the firewall come as bind mounts of the host's folder: an image that is
  // made of the machine leaves them out, and the host can rewrite them while the machine is off.
  json binds = {options.docker_volume + ":/var/lib/docker", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
                options.folder + "/seed:/var/lib/cloud/seed/nocloud-net:ro",
                options.folder + "/machine:/etc/paas-machine:ro"};
  if (unified) binds.erase(1);  // A private namespace comes with its own view.
  json host = {
      {"CapAdd", {"ALL"}},
      {"CapDrop", {"SYS_RESOURCE"}},
      {"SecurityOpt", {"seccomp=unconfined", "apparmor=unconfined"}},
      // What the command line calls systempaths=unconfined.
      {"MaskedPaths", json::array()},
      {"ReadonlyPaths", json::array()},
      {"CgroupnsMode", unified ? "private" : "host"},
      {"Devices",
       {{{"PathOnHost", "/dev/loop-control"},
         {"PathInContainer", "/dev/loop-control"},
         {"CgroupPermissions", "rwm"}}}},
      {"DeviceCgroupRules", {"b 7:* rmw"}},
      // Docker's default for a tmpfs is noexec, Debian's for these is not.
      {"Tmpfs",
       {{"/run", "exec,mode=755"}, {"/run/lock", "mode=1777"}, {"/tmp", "exec,mode=1777"}}},
      {"Binds", binds},
      // A packet must come in by the interface that its sender is reached by: nobody on the public
      // network speaks as a machine of a VPC.
      {"Sysctls", {{"net.ipv4.conf.all.rp_filter", "1"}}},
      {"NetworkMode", options.public_network},
      {"RestartPolicy", {{"Name", "no"}}},
  };
  return {
      {"Image", options.image},
      {"Hostname", record.name.substr(0, host_name_limit)},
      {"Env", {"container=docker"}},
      {"StopSignal", "SIGRTMIN+3"},
      {"Labels",
       {{"paas.cloud", options.cloud}, {"paas.droplet", fmt::format("{}", record.droplet_id)}}},
      {"HostConfig", host},
      {"NetworkingConfig",
       {{"EndpointsConfig",
         {{options.public_network, {{"IPAMConfig", {{"IPv4Address", record.public_address}}}}}}}}},
  };
}

std::string seed_meta_data(const MachineRecord& record,
                           const std::vector<std::string>& public_keys) {
  const nlohmann::ordered_json json = {
      {"instance-id", fmt::format("{}", record.droplet_id)},
      {"local-hostname", record.name},
      {"public-keys", public_keys},
  };
  return json.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace paas::cloud
