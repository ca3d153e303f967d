// Machine images: what a snapshot keeps, and what it leaves out.
#include <fmt/format.h>

#include "cloud/engine/test_cloud.hpp"
#include "cloud/side_by_side.hpp"

using namespace paas::cloud;
using namespace paas::cloud::testing;

TEST_CASE(
    "images: a snapshot keeps the root and the nested engine's data, not the seed and the rules") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1)) == "");
  cloud.await_docker(1);
  cloud.output_inside(1, "echo kept >/opt/file");
  cloud.output_inside(
      1,
      "tar -C / -ch $(ldd /bin/bash /bin/sleep /bin/cat | grep -o '/lib[^ ]*' | sort -u) "
      "/bin/bash /bin/sleep /bin/cat 2>/dev/null | docker import - tiny:1");
  cloud.output_inside(
      1, "docker run --rm -v things:/data tiny:1 /bin/bash -c 'echo kept too >/data/file'");
  const std::string machine_image = fmt::format("paas-{}-snapshot:1", cloud.settings.name);
  SUBCASE("of a machine that runs") {}
  SUBCASE("of a machine that is off") {
    CHECK(cloud.apply(ChangePower{1, PowerChange::off}) == "");
  }
  const auto begun = cloud.host.clock.monotonic();
  CHECK(cloud.snapshot(1, machine_image) > 100'000'000);
  MESSAGE("snapshot after ", (cloud.host.clock.monotonic() - begun).count(), " ms");
  // Mounted folders are no part of an image: the seed, with its secrets, and the rules stay behind.
  const std::string unpack = fmt::format(
      "container=$(curl -sS --fail --unix-socket {0} -H 'Content-Type: application/json' -d "
      "'{{\"Image\": \"{1}\"}}' "
      "http://docker/containers/create | grep -o '[0-9a-f]\\{{64\\}}'); "
      "curl -sS --fail --unix-socket {0} http://docker/containers/$container/export | tar -t; "
      "curl -sS --unix-socket {0} -X DELETE http://docker/containers/$container",
      cloud.host.socket, machine_image);
  const std::string files = cloud.host.shell(unpack);
  CHECK(files.find("opt/file") != std::string::npos);
  CHECK(files.find("seed/nocloud-net/user-data") == std::string::npos);
  CHECK(files.find("etc/paas-machine/firewall.rules") == std::string::npos);
  CHECK(cloud.apply(DestroyMachine{1}) == "");

  const auto created = cloud.host.clock.monotonic();
  for (const int id : {2, 3}) {
    CreateMachine machine = cloud.machine(id);
    machine.machine_image = machine_image;
    CHECK(cloud.apply(machine) == "");
  }
  for (const int id : {2, 3}) {
    CHECK(cloud.boots(id));
    MESSAGE("greeting after ", (cloud.host.clock.monotonic() - created).count(), " ms");
    CHECK(cloud.output_inside(id, "cat /opt/file") == "kept\n");
    CHECK(cloud.output_inside(id, "hostname") == fmt::format("machine-{}\n", id));
    cloud.await_docker(id);
    CHECK(cloud.output_inside(id, "docker run --rm -v things:/data tiny:1 /bin/cat /data/file") ==
          "kept too\n");
    MESSAGE("nested container ran after ", (cloud.host.clock.monotonic() - created).count(), " ms");
  }
  // A snapshot of what came from a snapshot, and both are gone in the end.
  CHECK(cloud.snapshot(3, fmt::format("paas-{}-snapshot:2", cloud.settings.name)) > 0);
  CHECK(cloud.apply(DestroyMachine{2}) == "");
  CHECK(cloud.apply(DestroyMachine{3}) == "");
  CHECK(cloud.apply(RemoveMachineImage{machine_image}) == "");
  CHECK(cloud.apply(RemoveMachineImage{machine_image}) == "");
  CHECK_FALSE(cloud.host.engine.inspect_image(machine_image));
}

TEST_CASE("images: a purge by another process, without any record, leaves nothing") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1)) == "");
  CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "ext4", ""}) == "");
  CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
  CHECK(cloud.boots(1));
  cloud.output_inside(1, "mount /dev/disk/by-id/scsi-0DO_Volume_data /mnt");
  cloud.await_docker(1);
  cloud.output_inside(1,
                      "tar -C / -ch $(ldd /bin/sleep | grep -o '/lib[^ ]*' | sort -u) /bin/sleep "
                      "2>/dev/null | docker import - tiny:1");
  const std::string nested =
      cloud.output_inside(1, "docker run -d tiny:1 /bin/sleep 1000").substr(0, 64);
  CHECK(cloud.snapshot(1, fmt::format("paas-{}-snapshot:1", cloud.settings.name)) > 0);
  CHECK(cloud.leftovers() != "");

  cloud.world.reset();
  cloud.host.shell("rm -rf '" + cloud.settings.state_folder + "'/world");
  cloud.world = cloud.make_world();
  const auto begun = cloud.host.clock.monotonic();
  const auto purged = cloud.world->purge();
  CHECK_MESSAGE(purged, (purged ? "" : paas::describe(purged.error())));
  MESSAGE("purged after ", (cloud.host.clock.monotonic() - begun).count(), " ms");
  CHECK(cloud.leftovers() == "");
  CHECK(cloud.host.shell("find /sys/fs/cgroup -name " + nested) == "");
  CHECK(cloud.world->purge());
}

TEST_CASE("images: seven machines start side by side") {
  TestCloud cloud;
  std::vector<std::function<paas::Status()>> jobs;
  const auto begun = cloud.host.clock.monotonic();
  for (int id = 1; id <= 7; ++id) {
    jobs.push_back([&cloud, id]() -> paas::Status {
      const std::string error =
          cloud.world->apply({id, "", cloud.machine(id, allow({tcp(22)}))}).error;
      return error.empty() ? paas::Status{} : paas::fail(paas::ErrorKind::failed, error);
    });
  }
  const auto made = side_by_side(jobs, 7);
  CHECK_MESSAGE(made, (made ? "" : paas::describe(made.error())));
  MESSAGE("seven machines created after ", (cloud.host.clock.monotonic() - begun).count(), " ms");
  for (int id = 1; id <= 7; ++id) CHECK(cloud.boots(id));
  MESSAGE("and greeting after ", (cloud.host.clock.monotonic() - begun).count(), " ms");
}
