// What a server prints when it is looked at.
#include "observe/look.hpp"

#include <doctest/doctest.h>

#include <string>

namespace paas::observe {
namespace {

const std::string containers =
    R"({"Id":"ab","Name":"/shop-web-2","Image":"sha256:1","RestartCount":1,)"
    R"("State":{"Status":"running","ExitCode":0},"Config":{"Env":["PATH=/bin","MODE=web"],)"
    R"("Labels":{"paas.service":"web","paas.release":"2","paas.slot":"1","paas.image":"sha256:1",)"
    R"("paas.shape":"port=1","paas.variables":"MODE"}}})"
    "\n"
    R"({"message":"No such container: cd"})"
    "\n";

std::string printed(const std::string& inside, const std::string& rest) {
  return "--- hosts\n127.0.0.1\tlocalhost\n--- mounts\nshop-db\n--- containers\n" + inside +
         "--- images\n[{\"Id\":\"sha256:1\"},{\"Id\":\"sha256:2\"}]\n" + rest;
}

const std::string statistics =
    "# pxname,svname,qcur,scur,stot,status,weight,type,rate,check_status,hrsp_5xx,"
    "hrsp_2xx,hrsp_3xx,hrsp_4xx,rtime,addr,\n"
    "web,shop-web-1.r2,0,0,0,UP,10,2,0,L7OK,0,0,0,0,0,10.0.0.2:1,\n"
    "web,shop-web-2.r2,0,0,0,DRAIN,10,2,0,L7OK,0,0,0,0,0,10.0.0.3:1,\n\n";

TEST_CASE("look: containers, images, mounts and hosts") {
  const auto machine = read_look(printed(containers, ""), false);
  REQUIRE(machine);
  CHECK(machine->hosts == "127.0.0.1\tlocalhost\n");
  CHECK(machine->mounted_volumes == std::set<std::string>{"shop-db"});
  CHECK(machine->image_digests == std::set<std::string>{"sha256:1", "sha256:2"});
  // The one that went away meanwhile is left out.
  REQUIRE(machine->containers.size() == 1);
  const auto& container = machine->containers.front();
  CHECK(container.name == "shop-web-2");
  CHECK(container.release == 2);
  CHECK(container.slot == 1);
  CHECK(container.state == "running");
  CHECK(container.environment == std::map<std::string, std::string>{{"MODE", "web"}});
  CHECK_FALSE(machine->balancer);
}

TEST_CASE("look: a server with nothing on it") {
  const auto machine = read_look("--- hosts\n--- mounts\n--- containers\n--- images\n[]\n", false);
  REQUIRE(machine);
  CHECK(machine->containers.empty());
  CHECK(machine->hosts.empty());
}

TEST_CASE("look: the load balancer, whether it runs or not") {
  const auto files = std::string("--- certificates\n--- configuration\nglobal\n");
  const auto running =
      read_look(printed("", "--- statistics\n" + statistics +
                                "--- info\nName: HAProxy\ndescription: paas-1\n\n" + files),
                true);
  REQUIRE(running);
  REQUIRE(running->balancer);
  CHECK(running->balancer->running);
  CHECK(running->balancer->mark == "paas-1");
  CHECK(running->balancer->configuration == "global\n");
  CHECK(running->balancer->known.at("web").size() == 2);
  CHECK(running->balancer->in_rotation.at("web") == std::set<std::string>{"shop-web-1.r2"});
  const auto silent =
      read_look(printed("", "--- statistics\n--- silent\n--- info\n--- silent\n" + files), true);
  REQUIRE(silent);
  CHECK_FALSE(silent->balancer->running);
  CHECK(silent->balancer->configuration == "global\n");
}

TEST_CASE("look: what was cut short is no look") {
  const auto whole = printed(containers, "");
  for (const auto& part : {"--- images", "--- containers", "--- mounts", "--- hosts"}) {
    CHECK_FALSE(read_look(whole.substr(0, whole.find(part)), false));
  }
  CHECK_FALSE(read_look(whole.substr(0, whole.size() - 5), false));
  CHECK_FALSE(read_look(printed("{\"Id\":\n", ""), false));
  // A container that the engine cannot inspect may be the one with the data.
  CHECK_FALSE(read_look(
      printed("{\"message\":\"RWLayer of container ab is unexpectedly nil\"}\n", ""), false));
  CHECK_FALSE(read_look(printed("{}\n", ""), false));
  CHECK_FALSE(read_look(whole, true));
}

}  // namespace
}  // namespace paas::observe
