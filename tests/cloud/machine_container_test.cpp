// What a machine's container, seed, record and boot script say.
#include "cloud/machine_container.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "cloud/boot_script.hpp"

using namespace paas::cloud;
using nlohmann::json;

namespace {

const MachineRecord record{.droplet_id = 7,
                           .name = "zipkick-db-1",
                           .vpc_id = "one",
                           .public_address = "198.18.16.9",
                           .private_address = "10.116.0.9",
                           .running = true,
                           .volumes = {{"volume-1", "data"}},
                           .reserved_addresses = {"198.18.18.1"}};

json body_on(int cgroup_version) {
  return container_body(record, {.cloud = "dev",
                                 .image = "paasctl-node:bare",
                                 .public_network = "paas-dev-public",
                                 .folder = "/state/world/machines/7",
                                 .docker_volume = "paas-dev-7-docker",
                                 .cgroup_version = cgroup_version});
}

}  // namespace

TEST_CASE("machine_container: a container is a whole machine without CAP_SYS_RESOURCE") {
  CHECK(body_on(1) == json::parse(R"({
    "Image": "paasctl-node:bare", "Hostname": "zipkick-db-1", "Env": ["container=docker"],
    "StopSignal": "SIGRTMIN+3", "Labels": {"paas.cloud": "dev", "paas.droplet": "7"},
    "HostConfig": {
      "CapAdd": ["ALL"], "CapDrop": ["SYS_RESOURCE"],
      "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"], "MaskedPaths": [], "ReadonlyPaths": [],
      "CgroupnsMode": "host",
      "Devices": [{"PathOnHost": "/dev/loop-control", "PathInContainer": "/dev/loop-control",
                   "CgroupPermissions": "rwm"}],
      "DeviceCgroupRules": ["b 7:* rmw"],
      "Tmpfs": {"/run": "exec,mode=755", "/run/lock": "mode=1777", "/tmp": "exec,mode=1777"},
      "Binds": ["paas-dev-7-docker:/var/lib/docker", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
                "/state/world/machines/7/seed:/var/lib/cloud/seed/nocloud-net:ro",
                "/state/world/machines/7/machine:/etc/paas-machine:ro"],
      "Sysctls": {"net.ipv4.conf.all.rp_filter": "1"},
      "NetworkMode": "paas-dev-public", "RestartPolicy": {"Name": "no"}},
    "NetworkingConfig": {"EndpointsConfig": {"paas-dev-public": {"IPAMConfig": {"IPv4Address": "198.18.16.9"}}}}
  })"));
}

TEST_CASE("machine_container: a unified hierarchy needs a namespace of its own") {
  const json host = body_on(2).at("HostConfig");
  CHECK(host.at("CgroupnsMode") == "private");
  CHECK(host.at("Binds").dump().find("/sys/fs/cgroup") == std::string::npos);
}

TEST_CASE("machine_container: a name longer than a host's name is cut") {
  MachineRecord long_name = record;
  long_name.name = std::string(200, 'a');
  CHECK(container_body(long_name, {}).at("Hostname") == std::string(63, 'a'));
}

TEST_CASE("machine_container: the seed names the droplet and its keys") {
  CHECK(seed_meta_data(record, {"ssh-ed25519 AAAA first", "ssh-ed25519 BBBB \"second\""}) == R"({
  "instance-id": "7",
  "local-hostname": "zipkick-db-1",
  "public-keys": [
    "ssh-ed25519 AAAA first",
    "ssh-ed25519 BBBB \"second\""
  ]
}
)");
}

TEST_CASE("machine_record: a record comes back as it was written") {
  const auto read = decode_record(encode_record(record));
  REQUIRE(read);
  CHECK(*read == record);
  auto half_made = record;
  half_made.made = false;
  CHECK(decode_record(encode_record(half_made)) == half_made);
  CHECK_FALSE(decode_record("{"));
  CHECK_FALSE(decode_record("[]"));
  CHECK_FALSE(decode_record(R"({"droplet_id": "seven"})"));
}

TEST_CASE("boot_script: devices and addresses come back at every boot") {
  CHECK(boot_script::render({.public_address = "198.18.16.9",
                             .cgroup_version = 1,
                             .devices = {{"data", "/dev/loop3", "7:3"}},
                             .reserved_addresses = {"198.18.18.1"}}) ==
        R"(# Written by the local cloud; runs before systemd at every boot of this machine.
mount --make-rshared /
interface=$(ip -o -4 address show to 198.18.16.9/32 | { read -r _ name _; printf %s "$name"; })
ip address replace 198.18.18.1/32 dev "$interface"
mkdir -p /dev/disk/by-id
[ -b /dev/loop3 ] || mknod -m 660 /dev/loop3 b 7 3
ln -sfn ../../loop3 /dev/disk/by-id/scsi-0DO_Volume_data
mount -a
)");
}

TEST_CASE("boot_script: a machine without either has nothing to do") {
  CHECK(boot_script::render({.public_address = "198.18.16.9",
                             .cgroup_version = 1,
                             .devices = {},
                             .reserved_addresses = {}}) ==
        "# Written by the local cloud; runs before systemd at every boot of this machine.\n"
        "mount --make-rshared /\n");
  CHECK(boot_script::render({.public_address = "198.18.16.9",
                             .cgroup_version = 2,
                             .devices = {},
                             .reserved_addresses = {}})
            .find("remount,bind,rw /sys/fs/cgroup") != std::string::npos);
}
