// What faults do to machines, and that taking a fault away heals what can be healed.
#include <fmt/format.h>

#include "cloud/engine/test_cloud.hpp"

using namespace paas::cloud;
using namespace paas::cloud::testing;

namespace {

/// Later after each start of the machine.
std::string boot_of(TestCloud& cloud, std::int64_t droplet_id) {
  return cloud.inside(droplet_id, "cut -d ' ' -f 22 /proc/1/stat").output;
}

std::string engine_says(TestCloud& cloud, std::int64_t droplet_id) {
  const auto info = cloud.host.engine.inspect_container(cloud.container(droplet_id));
  return info ? info->state : "";
}

/// A container of the machine's own engine that runs, and an image to make more of.
void run_nested(TestCloud& cloud, std::int64_t droplet_id) {
  cloud.await_docker(droplet_id);
  cloud.output_inside(
      droplet_id,
      "tar -C / -ch $(ldd /bin/bash /bin/sleep /bin/cat | grep -o '/lib[^ ]*' | sort -u) "
      "/bin/bash /bin/sleep /bin/cat 2>/dev/null | docker import - tiny:1");
  cloud.output_inside(droplet_id, "docker run -d --name serving tiny:1 /bin/sleep 10000");
}

/// Whether a file can be made, written and removed in a folder of the machine.
bool takes_files(TestCloud& cloud, std::int64_t droplet_id, const std::string& folder) {
  return cloud
             .inside(droplet_id,
                     fmt::format("head -c 8192 /dev/zero >{0}/probe && rm {0}/probe", folder))
             .status == 0;
}

constexpr const char* mount_volume =
    "mkdir -p /mnt/data && { mountpoint -q /mnt/data || mount "
    "/dev/disk/by-id/scsi-0DO_Volume_data /mnt/data; }";

}  // namespace

TEST_CASE("faults: a machine that loses its power is off at once, and starts with what it wrote") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.boots(1));
  cloud.output_inside(1, "echo kept >/root/file && sync");
  const std::string boot = boot_of(cloud, 1);

  CHECK(cloud.apply(DisturbMachine{1, Disturbance::kill}) == "");
  CHECK(engine_says(cloud, 1) == "exited");
  CHECK_FALSE(cloud.greets(cloud.public_address(1)));
  // What is off already loses no power, and has no disk that could be filled.
  CHECK(cloud.apply(DisturbMachine{1, Disturbance::kill}) == "");
  CHECK(cloud.apply(DisturbMachine{1, Disturbance::fill_disk}) == "the machine does not run");

  CHECK(cloud.apply(ChangePower{1, PowerChange::on}) == "");
  CHECK(cloud.boots(1));
  CHECK(boot_of(cloud, 1) != boot);
  CHECK(cloud.output_inside(1, "cat /root/file") == "kept\n");
}

TEST_CASE("faults: a machine that reboots unasked is never reported as off") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "ext4", ""}) == "");
  CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
  CHECK(cloud.boots(1));
  cloud.watch();
  cloud.output_inside(1, std::string(mount_volume) + " && echo kept >/mnt/data/file && sync");
  const std::string boot = boot_of(cloud, 1);
  CHECK(cloud.apply(DisturbMachine{1, Disturbance::reboot}) == "");
  CHECK(cloud.boots(1));
  CHECK(boot_of(cloud, 1) != boot);
  CHECK(cloud.output_inside(1, std::string(mount_volume) + " && cat /mnt/data/file") == "kept\n");
  CHECK_FALSE(cloud.ended(1));
}

TEST_CASE("faults: a frozen machine keeps its connections and says nothing until it thaws") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.boots(1));
  cloud.watch();
  const std::string boot = boot_of(cloud, 1);
  CHECK(cloud.apply(DisturbMachine{1, Disturbance::freeze}) == "");
  CHECK(engine_says(cloud, 1) == "paused");
  // The kernel takes the connection, and sshd does not greet.
  CHECK(cloud.host
            .shell(fmt::format("timeout 30 bash -c 'exec 3<>/dev/tcp/{}/22 && echo open; "
                               "read -r -t 1 line <&3 && echo greeted' || true",
                               cloud.public_address(1)))
            .find("open\n") == 0);
  CHECK_FALSE(cloud.greets(cloud.public_address(1)));
  // Asked for again, as after a crash of the cloud, it stays so.
  CHECK(cloud.apply(DisturbMachine{1, Disturbance::freeze}) == "");
  CHECK(engine_says(cloud, 1) == "paused");

  SUBCASE("it goes on where it stood") {
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::thaw}) == "");
    CHECK(cloud.boots(1));
    CHECK(boot_of(cloud, 1) == boot);
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::thaw}) == "");
  }
  SUBCASE("the API starts it anew") {
    CHECK(cloud.apply(ChangePower{1, PowerChange::cycle}) == "");
    CHECK(cloud.boots(1));
    CHECK(boot_of(cloud, 1) != boot);
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::thaw}) == "");
    CHECK(cloud.greets(cloud.public_address(1)));
  }
  SUBCASE("the API switches it off") {
    CHECK(cloud.apply(ChangePower{1, PowerChange::off}) == "");
    CHECK(engine_says(cloud, 1) == "exited");
  }
  SUBCASE("its rules change meanwhile") {
    CHECK(cloud.apply(SetRules{1, allow({})}) == "");
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::thaw}) == "");
    CHECK(cloud.reaches(1, "127.0.0.1", 22));
    CHECK_FALSE(cloud.greets(cloud.public_address(1)));
  }
  SUBCASE("its disk is filled and freed, and its volume comes and goes") {
    CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "ext4", ""}) == "");
    CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::fill_disk}) == "");
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::thaw}) == "");
    CHECK_FALSE(takes_files(cloud, 1, "/root"));
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::freeze}) == "");
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::free_disk}) == "");
    CHECK(cloud.apply(DetachVolume{"volume-1", "data", 1}) == "");
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::thaw}) == "");
    CHECK(takes_files(cloud, 1, "/root"));
  }
  SUBCASE("it is destroyed") {
    CHECK(cloud.apply(DestroyMachine{1}) == "");
    CHECK(engine_says(cloud, 1) == "");
  }
  SUBCASE("the cloud stops and comes back") {
    CHECK(cloud.world->stop());
    cloud.world = cloud.make_world();
    REQUIRE(cloud.world->start());
    CHECK(cloud.boots(1));
  }
}

TEST_CASE("faults: no packet reaches or leaves a machine that is cut off") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.apply(cloud.machine(2, allow({tcp(22)}))) == "");
  CHECK(cloud.boots(1));
  CHECK(cloud.boots(2));
  CHECK(cloud.connects(2, cloud.private_address(1), 22));
  const auto is_cut_off = [&] {
    CHECK_FALSE(cloud.greets(cloud.public_address(1)));
    CHECK_FALSE(cloud.connects(2, cloud.private_address(1), 22));
    CHECK_FALSE(cloud.connects(1, cloud.private_address(2), 22));
    CHECK_FALSE(cloud.connects(1, cloud.public_address(2), 22));
    // It lives, and hears itself.
    CHECK(cloud.reaches(1, "127.0.0.1", 22));
  };
  TrafficRules unplugged = allow({tcp(22)});
  unplugged.unplugged = true;
  CHECK(cloud.apply(SetRules{1, unplugged}) == "");
  is_cut_off();
  CHECK(cloud.apply(ChangePower{1, PowerChange::cycle}) == "");
  is_cut_off();

  CHECK(cloud.apply(SetRules{1, allow({tcp(22)})}) == "");
  CHECK(cloud.boots(1));
  CHECK(cloud.reaches(2, cloud.private_address(1), 22));
  CHECK(cloud.reaches(1, cloud.private_address(2), 22));
}

TEST_CASE("faults: a machine whose disk is full can be read, and goes on when there is space") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "ext4", ""}) == "");
  CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
  CHECK(cloud.boots(1));
  run_nested(cloud, 1);
  cloud.output_inside(1, std::string(mount_volume) +
                             " && echo kept >/mnt/data/file && echo kept >/root/file && sync");
  const std::vector<std::string> folders = {"/etc", "/root", "/opt", "/mnt/data"};
  for (const auto& folder : folders) CHECK(takes_files(cloud, 1, folder));
  const std::string mounts = cloud.output_inside(1, "wc -l </proc/self/mountinfo");

  CHECK(cloud.apply(DisturbMachine{1, Disturbance::fill_disk}) == "");
  for (const auto& folder : folders) {
    CAPTURE(folder);
    CHECK_FALSE(takes_files(cloud, 1, folder));
    CHECK(cloud.inside(1, fmt::format("head -c 8192 /dev/zero >{}/probe", folder))
              .output.find("No space left on device") != std::string::npos);
  }
  CHECK(cloud.output_inside(1, "cat /root/file /mnt/data/file") == "kept\nkept\n");
  CHECK(cloud.output_inside(1, "cat /etc/hostname") == "machine-1\n");
  // What runs goes on, and nothing new starts.
  CHECK(cloud.output_inside(1, "docker exec serving /bin/bash -c 'echo alive >/note; cat /note'") ==
        "alive\n");
  CHECK(cloud.inside(1, "docker run --name new tiny:1 /bin/bash -c 'echo ran'")
            .output.find("no space left on device") != std::string::npos);
  // Asked for again, as after a crash of the cloud, there is nothing to do.
  const std::string full = cloud.output_inside(1, "wc -l </proc/self/mountinfo");
  CHECK(cloud.apply(DisturbMachine{1, Disturbance::fill_disk}) == "");
  CHECK(cloud.output_inside(1, "wc -l </proc/self/mountinfo") == full);

  SUBCASE("freed while it runs") {
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::free_disk}) == "");
    CHECK(cloud.output_inside(1, "wc -l </proc/self/mountinfo") == mounts);
    CHECK(cloud.output_inside(1, "docker exec serving /bin/cat /note") == "alive\n");
    CHECK(cloud.output_inside(1, "docker run --rm tiny:1 /bin/bash -c 'echo ran'") == "ran\n");
  }
  SUBCASE("a start frees all but volumes") {
    CHECK(cloud.apply(ChangePower{1, PowerChange::cycle}) == "");
    CHECK(cloud.boots(1));
    CHECK(takes_files(cloud, 1, "/root"));
    cloud.output_inside(1, mount_volume);
    CHECK_FALSE(takes_files(cloud, 1, "/mnt/data"));
    CHECK(cloud.apply(DisturbMachine{1, Disturbance::free_disk}) == "");
  }
  for (const auto& folder : folders) {
    CAPTURE(folder);
    CHECK(takes_files(cloud, 1, folder));
  }
  CHECK(cloud.output_inside(1, "cat /root/file /mnt/data/file") == "kept\nkept\n");
  CHECK(cloud.output_inside(1, "ls -A /mnt/data | grep -v lost+found") == "file\n");
  CHECK(cloud.apply(DetachVolume{"volume-1", "data", 1}) == "");
}
