// Block storage, reserved addresses and the metadata address, as machines see them.
#include <fmt/format.h>
#include <httplib.h>

#include <thread>

#include "cloud/engine/test_cloud.hpp"

using namespace paas::cloud;
using namespace paas::cloud::testing;

namespace {

const char* const by_id_link = "/dev/disk/by-id/scsi-0DO_Volume_data";

/// Makes a Docker image inside the machine out of its own shell: nothing can be pulled here.
void make_nested_image(TestCloud& cloud, std::int64_t droplet_id) {
  cloud.await_docker(droplet_id);
  cloud.output_inside(
      droplet_id,
      "tar -C / -ch $(ldd /bin/bash /bin/sleep /bin/cat | grep -o '/lib[^ ]*' | sort -u) "
      "/bin/bash /bin/sleep /bin/cat 2>/dev/null | docker import - tiny:1");
}

}  // namespace

TEST_CASE("volumes: programs that end while a volume is detached are no container that holds it") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1)) == "");
  CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "ext4", ""}) == "");
  CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
  cloud.output_inside(1,
                      "for i in $(seq 150); do timeout 60 sh -c 'while :; do sleep 0.2; done' "
                      ">/dev/null 2>&1 & done");
  for (int round = 0; round < 8; ++round) {
    CAPTURE(round);
    CHECK(cloud.inside(1, fmt::format("mount {} /mnt", by_id_link)).status == 0);
    CHECK(cloud.apply(DetachVolume{"volume-1", "data", 1}) == "");
    CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
  }
}

TEST_CASE("volumes: a volume keeps its files and goes from machine to machine") {
  TestCloud cloud;
  CHECK(cloud.apply(cloud.machine(1)) == "");
  CHECK(cloud.apply(cloud.machine(2)) == "");
  CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "", ""}) == "");
  CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
  // Asked for again, as after a crash, it is the same device.
  CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
  cloud.output_inside(
      1, fmt::format("mkfs.ext4 -q {0} && mount {0} /mnt && echo kept >/mnt/file", by_id_link));

  SUBCASE("it is unmounted when it is detached") {
    CHECK(cloud.apply(DetachVolume{"volume-1", "data", 1}) == "");
    CHECK(cloud.output_inside(1, "ls /mnt") == "");
    CHECK(cloud.inside(1, fmt::format("test -e {}", by_id_link)).status == 1);
    CHECK(cloud.apply(AttachVolume{"volume-1", "data", 2}) == "");
    CHECK(cloud.output_inside(2, fmt::format("mount {} /mnt && cat /mnt/file", by_id_link)) ==
          "kept\n");
  }
  SUBCASE("what is in use is not detached") {
    cloud.output_inside(1, "setsid sleep 1000 </mnt/file >/dev/null 2>&1 &");
    CHECK(cloud.apply(DetachVolume{"volume-1", "data", 1}).find("volume data is in use") == 0);
    CHECK(cloud.output_inside(1, "cat /mnt/file") == "kept\n");
  }
  SUBCASE("what a container has mounted is not detached") {
    make_nested_image(cloud, 1);
    cloud.output_inside(1, "docker run -d --name holder -v /mnt:/data tiny:1 /bin/sleep 1000");
    CHECK(cloud.apply(DetachVolume{"volume-1", "data", 1}).find("a container has it mounted") !=
          std::string::npos);
    CHECK(cloud.output_inside(1, "docker exec holder /bin/cat /data/file") == "kept\n");
    cloud.output_inside(1, "docker rm -f holder");
    CHECK(cloud.apply(DetachVolume{"volume-1", "data", 1}) == "");
  }
  SUBCASE("it grows while it is attached") {
    CHECK(cloud.apply(ResizeVolume{"volume-1", 2}) == "");
    // Growing a mounted ext4 takes CAP_SYS_RESOURCE, which machines do not have.
    cloud.output_inside(
        1, fmt::format("umount /mnt && e2fsck -fp {0} && resize2fs {0} && mount {0} /mnt",
                       by_id_link));
    CHECK(std::stoi(cloud.output_inside(1, "df --output=size -BM /mnt | tail -1 | tr -d ' M'")) >
          1800);
    CHECK(cloud.output_inside(1, "cat /mnt/file") == "kept\n");
  }
  SUBCASE("it outlives its machine") {
    CHECK(cloud.apply(DestroyMachine{1}) == "");
    CHECK(cloud.apply(DetachVolume{"volume-1", "data", 1}) == "");
    CHECK(cloud.apply(AttachVolume{"volume-1", "data", 2}) == "");
    CHECK(cloud.output_inside(2, fmt::format("mount {} /mnt && cat /mnt/file", by_id_link)) ==
          "kept\n");
    CHECK(cloud.apply(DetachVolume{"volume-1", "data", 2}) == "");
    CHECK(cloud.apply(RemoveVolume{"volume-1"}) == "");
    CHECK(cloud.apply(RemoveVolume{"volume-1"}) == "");
  }
  SUBCASE("making it again keeps what is on it") {
    CHECK(cloud.apply(DetachVolume{"volume-1", "data", 1}) == "");
    CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "ext4", ""}) == "");
    CHECK(cloud.apply(AttachVolume{"volume-1", "data", 1}) == "");
    CHECK(cloud.output_inside(1, fmt::format("mount {} /mnt && cat /mnt/file", by_id_link)) ==
          "kept\n");
  }
}

TEST_CASE("volumes: names that are none never become paths") {
  TestCloud cloud;
  CHECK(cloud.apply(CreateVolume{"../x", "data", 1, "", ""}) != "");
  CHECK(cloud.apply(CreateVolume{"volume-1", "data", 1, "ntfs", ""}) != "");
  CHECK(cloud.apply(AttachVolume{"volume-1", "data", 9}).find("droplet 9 has no machine") !=
        std::string::npos);
}

TEST_CASE("addresses: a reserved address answers at once where it was moved to") {
  TestCloud cloud;
  for (const int id : {1, 2, 3})
    CHECK(cloud.apply(cloud.machine(id, allow({tcp(22), tcp(8000)}))) == "");
  for (const int id : {1, 2, 3}) CHECK(cloud.boots(id));
  for (const int id : {1, 2}) {
    cloud.output_inside(
        id, fmt::format("setsid socat TCP-LISTEN:8000,fork,reuseaddr SYSTEM:'echo machine-{}' "
                        "</dev/null >/dev/null 2>&1 &",
                        id));
  }
  const std::string ask =
      fmt::format("timeout 2 bash -c 'exec 3<>/dev/tcp/{}/8000 && read -r line <&3 && echo $line'",
                  cloud.reserved_address());
  for (const int id : {1, 2, 1}) {
    const std::string expected = fmt::format("machine-{}\n", id);
    CHECK(cloud.apply(AssignAddress{cloud.reserved_address(), id}) == "");
    CHECK(cloud.eventually([&] { return cloud.inside(id, ask).output == expected; },
                           std::chrono::seconds(5)));
    // From the host, and from a machine that has just spoken to the one before: neither waits.
    CHECK(cloud.host.shell(ask) == expected);
    CHECK(cloud.inside(3, ask).output == expected);
    CHECK(cloud.apply(UnassignAddress{cloud.reserved_address(), id}) == "");
    CHECK(cloud.inside(3, ask).status != 0);
  }
}

TEST_CASE("metadata: machines reach the service whatever their rules, their containers do not") {
  TestCloud cloud;
  httplib::Server server;
  server.Get("/metadata/v1/id", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content("from " + request.remote_addr, "text/plain");
  });
  REQUIRE(server.bind_to_port(cloud.addresses.gateway.c_str(), cloud.addresses.metadata_port));
  std::jthread serving([&] { server.listen_after_bind(); });
  const TrafficRules nothing{.filtered = true, .inbound = {}, .outbound = {}};
  CHECK(cloud.apply(cloud.machine(1, nothing)) == "");
  const char* const ask = "curl -sS --max-time 3 http://169.254.169.254/metadata/v1/id";
  CHECK(cloud.eventually([&] { return cloud.inside(1, ask).status == 0; }));
  CHECK(cloud.output_inside(1, ask) == "from " + cloud.public_address(1));

  CHECK(cloud.apply(SetRules{1, allow({})}) == "");
  CHECK(cloud.output_inside(1, ask) == "from " + cloud.public_address(1));
  make_nested_image(cloud, 1);
  const auto from_container = [&](const std::string& address, int port) {
    return cloud
        .inside(1, fmt::format("docker run --rm tiny:1 /bin/bash -c 'exec 3<>/dev/tcp/{}/{}' & "
                               "pid=$!; timeout 5 tail --pid=$pid -f /dev/null && wait $pid",
                               address, port))
        .status;
  };
  CHECK(from_container("169.254.169.254", 80) != 0);
  CHECK(from_container(cloud.addresses.gateway, cloud.addresses.metadata_port) != 0);
  CHECK(from_container(cloud.public_address(1), 22) == 0);
  server.stop();
}
