// Machines: their networks, their firewalls, and what survives a reboot.
#include <fmt/format.h>

#include "cloud/engine/test_cloud.hpp"

using namespace paas::cloud;
using namespace paas::cloud::testing;

TEST_CASE("machines: a machine has its addresses, its name and its user data") {
  TestCloud cloud;
  const auto begun = cloud.host.clock.monotonic();
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  const auto created = cloud.host.clock.monotonic();
  CHECK(cloud.boots(1));
  const auto greeted = cloud.host.clock.monotonic();
  MESSAGE("created after ", (created - begun).count(), " ms, SSH after ", (greeted - begun).count(),
          " ms");

  CHECK(cloud.output_inside(1, "hostname") == "machine-1\n");
  CHECK(cloud.output_inside(1, "ip -o -4 address").find(cloud.public_address(1)) !=
        std::string::npos);
  CHECK(cloud.output_inside(1, "ip -o -4 address").find(cloud.private_address(1)) !=
        std::string::npos);
  CHECK(cloud.output_inside(1, "ip route show default").find(cloud.addresses.gateway) !=
        std::string::npos);
  CHECK(
      cloud.eventually([&] { return cloud.inside(1, "test -e /root/user-data-ran").status == 0; }));
  CHECK(cloud.output_inside(1, "cat /root/.ssh/authorized_keys").find("ssh-ed25519") !=
        std::string::npos);
  cloud.await_docker(1);
  MESSAGE("nested Docker after ", (cloud.host.clock.monotonic() - begun).count(), " ms");

  CHECK(cloud.apply(DestroyMachine{1}) == "");
  CHECK(cloud.apply(DestroyMachine{1}) == "");
  CHECK_FALSE(cloud.host.engine.inspect_container(cloud.container(1)));
}

TEST_CASE("machines: rules filter both ways, on both networks") {
  TestCloud cloud;
  const std::string first_only = cloud.private_address(1) + "/32";
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.apply(cloud.machine(2, allow({tcp(22), tcp(8000, {first_only})}))) == "");
  CHECK(cloud.apply(cloud.machine(3, allow({tcp(22)}))) == "");
  for (const int id : {1, 2, 3}) CHECK(cloud.boots(id));
  cloud.listen(2, 8000);
  cloud.listen(2, 8001);

  CHECK(cloud.connects(1, cloud.private_address(2), 8000));
  CHECK_FALSE(cloud.connects(3, cloud.private_address(2), 8000));
  CHECK_FALSE(cloud.connects(1, cloud.private_address(2), 8001));
  // The public side has other sources.
  CHECK_FALSE(cloud.connects(1, cloud.public_address(2), 8000));
  CHECK(cloud.reaches(1, cloud.public_address(2), 22));

  // Changed rules are in force when the effect is done, in both directions.
  CHECK(cloud.apply(SetRules{2, allow({tcp(22), tcp(8001)})}) == "");
  CHECK_FALSE(cloud.connects(1, cloud.private_address(2), 8000));
  CHECK(cloud.connects(1, cloud.private_address(2), 8001));
  TrafficRules narrow = allow({tcp(22)});
  narrow.outbound = {tcp(8001, {cloud.private_address(2) + "/32"})};
  CHECK(cloud.apply(SetRules{1, narrow}) == "");
  CHECK(cloud.connects(1, cloud.private_address(2), 8001));
  CHECK_FALSE(cloud.connects(1, cloud.public_address(2), 8001));
  CHECK_FALSE(cloud.connects(1, cloud.private_address(2), 22));
  // Without any firewall nothing is filtered.
  CHECK(cloud.apply(SetRules{1, {}}) == "");
  CHECK(cloud.apply(SetRules{2, {}}) == "");
  CHECK(cloud.connects(1, cloud.private_address(2), 8000));
}

TEST_CASE("machines: VPCs do not reach each other's private addresses") {
  TestCloud cloud;
  CHECK(cloud.apply(CreateNetwork{"two", cloud.other_vpc_range}) == "");
  CHECK(cloud.apply(cloud.machine(1)) == "");
  CreateMachine other = cloud.machine(2);
  other.vpc_id = "two";
  other.private_address = IpRange::parse(cloud.other_vpc_range)->address(12);
  CHECK(cloud.apply(other) == "");
  CHECK(cloud.boots(1));
  CHECK(cloud.boots(2));
  CHECK(cloud.reaches(1, cloud.public_address(2), 22));
  CHECK_FALSE(cloud.connects(1, other.private_address, 22));
  CHECK_FALSE(cloud.connects(2, cloud.private_address(1), 22));
  CHECK(cloud.apply(DestroyMachine{2}) == "");
  CHECK(cloud.apply(RemoveNetwork{"two"}) == "");
  CHECK(cloud.host.shell("ip route show | grep -cF '" + cloud.other_vpc_range + "' || true") ==
        "0\n");
}

TEST_CASE("machines: a reboot keeps addresses, rules and devices") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.apply(cloud.machine(2, allow({tcp(22)}))) == "");
  CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "ext4", "data"}) == "");
  CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
  CHECK(cloud.apply(AssignAddress{cloud.reserved_address(), 1}) == "");
  CHECK(cloud.boots(1));
  CHECK(cloud.boots(2));
  cloud.watch();
  const std::string before = cloud.output_inside(
      1, "ip -o -4 address show scope global | grep ' eth' | awk '{print $4}' | sort");
  cloud.output_inside(1,
                      "mkdir -p /mnt/data && echo '/dev/disk/by-id/scsi-0DO_Volume_data /mnt/data "
                      "ext4 defaults 0 2' "
                      ">>/etc/fstab && mount /mnt/data && echo kept >/mnt/data/file && sync");

  const auto kept = [&] {
    CHECK(cloud.boots(1));
    CHECK(cloud.output_inside(
              1, "ip -o -4 address show scope global | grep ' eth' | awk '{print $4}' | sort") ==
          before);
    CHECK(cloud.output_inside(1, "cat /mnt/data/file") == "kept\n");
    CHECK(cloud.eventually([&] { return cloud.greets(cloud.reserved_address()); }));
    cloud.listen(1, 8000);
    CHECK_FALSE(cloud.connects(2, cloud.private_address(1), 8000));
    CHECK_FALSE(cloud.connects(2, cloud.reserved_address(), 8000));
    CHECK_FALSE(cloud.ended(1));
  };
  SUBCASE("by the API") {
    CHECK(cloud.apply(ChangePower{1, PowerChange::reboot}) == "");
    kept();
    CHECK(cloud.apply(ChangePower{1, PowerChange::cycle}) == "");
    kept();
  }
  SUBCASE("from inside") {
    const std::string boot = cloud.output_inside(1, "cat /proc/1/stat | cut -d' ' -f22");
    (void)cloud.inside(1, "systemctl reboot");
    CHECK(cloud.eventually([&] {
      const auto now = cloud.inside(1, "cat /proc/1/stat | cut -d' ' -f22");
      return now.status == 0 && now.output != boot;
    }));
    kept();
  }
}

TEST_CASE("machines: one that is switched off inside is reported, and can be switched on") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.boots(1));
  cloud.watch();
  (void)cloud.inside(1, "systemctl poweroff");
  CHECK(cloud.eventually([&] { return cloud.reported(1) == std::optional(false); }));
  // Who could not take note of it then is told again.
  cloud.forget_reports();
  CHECK(cloud.eventually([&] { return cloud.reported(1) == std::optional(false); }));
  CHECK(cloud.apply(ChangePower{1, PowerChange::on}) == "");
  CHECK(cloud.boots(1));
  CHECK(cloud.apply(ChangePower{1, PowerChange::shutdown}) == "");
  CHECK(cloud.host.engine.inspect_container(cloud.container(1))->state == "exited");
  // Rules that are set while it is off are those that it boots with.
  CHECK(cloud.apply(SetRules{1, allow({})}) == "");
  CHECK(cloud.apply(ChangePower{1, PowerChange::on}) == "");
  CHECK(cloud.reaches(1, "127.0.0.1", 22));
  CHECK_FALSE(cloud.greets(cloud.public_address(1)));
}

TEST_CASE("machines: sshd that finds its port held listens once it is free") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.boots(1));
  cloud.output_inside(1,
                      "systemctl stop ssh && systemd-run --quiet --unit=holder socat "
                      "TCP-LISTEN:22,fork SYSTEM:'echo held' && "
                      "until ss -Hltn | grep -q ':22 '; do read -rt 0.1 <> <(:) || true; done");
  CHECK(cloud.inside(1, "systemctl start ssh").status != 0);
  cloud.output_inside(1, "systemctl stop holder");
  CHECK(cloud.eventually([&] { return cloud.greets(cloud.public_address(1)); }));
}

TEST_CASE("machines: a stopped cloud comes back with what ran") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1, allow({tcp(22)}))) == "");
  CHECK(cloud.apply(cloud.machine(2, allow({tcp(22)}))) == "");
  CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "ext4", ""}) == "");
  CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
  // Whatever is cut off in the middle of its first boot may have no host keys ever after.
  CHECK(cloud.boots(1));
  CHECK(cloud.apply(ChangePower{2, PowerChange::off}) == "");
  CHECK(cloud.world->stop());
  CHECK(cloud.host.shell("losetup --list --output BACK-FILE | grep -cF '" +
                         cloud.settings.state_folder + "' || true") == "0\n");

  cloud.world = cloud.make_world();  // Another process of the same cloud.
  REQUIRE(cloud.world->start());
  CHECK(cloud.boots(1));
  CHECK(cloud.inside(1, "mount /dev/disk/by-id/scsi-0DO_Volume_data /mnt").status == 0);
  CHECK(cloud.host.engine.inspect_container(cloud.container(2))->state == "exited");
}

TEST_CASE("machines: one whose making was interrupted is made anew, not started") {
  TestCloud cloud;
  const auto machine = cloud.machine(1, allow({tcp(22)}));
  CHECK(cloud.apply(machine) == "");
  // As a process leaves it that is killed before the machine is connected to its network.
  cloud.host.shell(fmt::format(
      "export DOCKER_HOST=unix://{0} && docker kill {1} && docker network disconnect {2} {1} && "
      "sed -i 's/\"made\": true/\"made\": false/' {3}/world/machines/1/record.json",
      cloud.host.socket, cloud.container(1),
      fmt::format("paas-{}-vpc-{}", cloud.settings.name, machine.vpc_id),
      cloud.settings.state_folder));
  cloud.world = cloud.make_world();
  REQUIRE(cloud.world->start());
  CHECK(cloud.host.engine.inspect_container(cloud.container(1))->state == "exited");
  CHECK(cloud.apply(machine) == "");
  CHECK(cloud.boots(1));
  CHECK(cloud.output_inside(1, "ip -o -4 address").find(cloud.private_address(1)) !=
        std::string::npos);
}

TEST_CASE("machines: a second cloud may not have the ranges of the first") {
  TestCloud cloud;
  WorldSettings settings = cloud.settings;
  settings.name += "b";
  settings.state_folder += "/second";
  DockerWorld second(cloud.host.engine, cloud.host.processes, cloud.host.files, cloud.host.clock,
                     settings);
  const auto refused = second.start();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == paas::ErrorKind::exists);
  CHECK(second.purge());
  // What it was refused is still the first one's.
  CHECK(cloud.host.shell("ip route show | grep -cF 'unreachable " + cloud.settings.public_range +
                         "'") == "1\n");
}

TEST_CASE("machines: two clouds run side by side, and one goes without the other") {
  TestCloud cloud;
  {
    TestCloud other;
    REQUIRE(cloud.settings.public_range != other.settings.public_range);
    for (auto* each : {&cloud, &other}) {
      CHECK(each->apply(each->machine(1, allow({tcp(22)}))) == "");
    }
    for (auto* each : {&cloud, &other}) {
      CHECK(each->boots(1));
      // Its own network, and not the other's.
      CHECK(each->apply(each->machine(2, allow({tcp(22)}))) == "");
      CHECK(each->boots(2));
      CHECK(each->reaches(2, each->private_address(1), 22));
    }
    CHECK_FALSE(cloud.connects(1, other.private_address(1), 22));
    CHECK_FALSE(other.connects(1, cloud.private_address(1), 22));
  }
  CHECK(cloud.greets(cloud.public_address(1)));
  CHECK(cloud.reaches(2, cloud.private_address(1), 22));
}

TEST_CASE("machines: one whose image is missing leaves nothing") {
  TestCloud cloud;
  CreateMachine machine = cloud.machine(1);
  machine.machine_image = "paasctl-node:no-such-thing";
  CHECK(cloud.apply(machine).find("creating machine machine-1") != std::string::npos);
  CHECK_FALSE(cloud.host.engine.inspect_container(cloud.container(1)));
  CHECK(cloud.apply(cloud.machine(1)) == "");
  CHECK(cloud.boots(1));
}
