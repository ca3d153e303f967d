// Drift is told apart from changes: what a step answers to.
#include <doctest/doctest.h>

#include <set>

#include "base/text.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

/// The reasons of a plan's steps, each once.
std::string reasons(const World& world) {
  std::set<std::string> found;
  for (const auto& step : world.plan().steps) found.insert(to_text(step.reason));
  return text::join({found.begin(), found.end()}, " ");
}

World world_up() {
  World world;
  world.up();
  return world;
}

TEST_CASE("plan: what the stack says anew is a change, with all that follows from it") {
  World world;
  CHECK(reasons(world) == "change");
  world = world_up();
  SUBCASE("an image") { world.change_image("web"); }
  SUBCASE("a variable") { world.service("frontend").env["MODE"] = "front"; }
  SUBCASE("a size") { world.input.stack.size = "s-2vcpu-2gb"; }
  SUBCASE("a number") { world.lock().services.at("frontend").count = 4; }
  SUBCASE("a volume's size") { world.service("db").volume->size_gigabytes = 20; }
  SUBCASE("who is let in") { world.service("db").allow = {"203.0.113.7/32"}; }
  SUBCASE("a rule") { world.input.stack.lb->rules = {{"", "", "frontend"}}; }
  SUBCASE("a port to listen on") { world.input.stack.lb->listen = {80, 8080}; }
  SUBCASE("a link") { world.service("frontend").links.push_back({"cache", {}}); }
  SUBCASE("a link less") { world.service("frontend").links.clear(); }
  SUBCASE("a port of a database") { world.service("db").port = 5433; }
  SUBCASE("no load balancer any more") {
    world.service("frontend").links.clear();
    world.input.stack.lb.reset();
  }
  SUBCASE("a volume that a service did not have") {
    world.service("cache").volume = stack::Volume{5, "/data"};
  }
  CHECK(reasons(world) == "change");
}

TEST_CASE("plan: what somebody did to the world is drift, with all that follows from it") {
  auto world = world_up();
  SUBCASE("a droplet deleted") { world.destroy_droplet("zipkick-backend-1"); }
  SUBCASE("the load balancer's droplet deleted") { world.destroy_droplet("zipkick-lb-1"); }
  SUBCASE("a droplet resized") { world.server("zipkick-backend-1").droplet.size = "s-2vcpu-2gb"; }
  SUBCASE("a droplet off") { world.power_off("zipkick-db-1"); }
  SUBCASE("a firewall deleted") { world.input.observed.firewalls.erase("zipkick-db"); }
  SUBCASE("a firewall's rules edited") {
    world.input.observed.firewalls.at("zipkick-db").spec.inbound.pop_back();
  }
  SUBCASE("a tag taken away") {
    std::erase(world.server("zipkick-backend-1").droplet.tags, "paas:zipkick:uses:db");
  }
  SUBCASE("a tag added") {
    world.server("zipkick-frontend-1").droplet.tags.push_back("paas:zipkick:uses:db");
  }
  SUBCASE("a container stopped") { world.container("zipkick-backend-2").state = "exited"; }
  SUBCASE("a container removed") {
    world.machine("zipkick-backend-2").containers.clear();
    world.balancer().in_rotation["backend"].erase("zipkick-backend-2.r1");
  }
  SUBCASE("HAProxy stopped") { world.balancer().running = false; }
  SUBCASE("HAProxy's configuration edited") {
    world.balancer().configuration =
        text::replace_all(world.balancer().configuration, "*:80\n", "*:81\n");
  }
  SUBCASE("a server out of rotation") {
    world.balancer().in_rotation["backend"].erase("zipkick-backend-2.r1");
  }
  SUBCASE("the public address elsewhere") {
    world.input.observed.reserved_ips.front().droplet_id = 7;
  }
  SUBCASE("the public address released") { world.input.observed.reserved_ips.clear(); }
  SUBCASE("the volume gone") {
    world.input.observed.volumes.clear();
    world.machine("zipkick-db-1").mounted_volumes.clear();
  }
  SUBCASE("the hosts file edited") { world.machine("zipkick-backend-1").hosts = "nothing"; }
  CHECK(reasons(world) == "drift");
}

TEST_CASE("plan: what an interrupted run left is neither a change nor drift") {
  auto world = world_up();
  SUBCASE("a server that leaves") {
    world.lock().services.at("frontend").count = 3;
    world.up();
    world.lock().services.at("frontend").count = 2;
    world.lock().servers.at("zipkick-frontend-1").leaving = true;
  }
  SUBCASE("a container that makes room") {
    auto old = world.container("zipkick-frontend-1");
    old.release = 0;
    old.name = "zipkick-frontend-0";
    world.machine("zipkick-frontend-1").containers.push_back(old);
  }
  CHECK(reasons(world) == "unfinished");
}

TEST_CASE("plan: what a command asks for is told as such") {
  auto world = world_up();
  SUBCASE("a replacement") { world.input.replace["zipkick-frontend-1"] = "you asked for it"; }
  SUBCASE("a push") { world.input.restart["backend"] = "its environment is pushed again"; }
  CHECK(reasons(world) == "request");
  for (const auto& step : make_down(world.lock(), world.input.observed, Volumes::keep).steps) {
    CHECK(step.reason == Reason::request);
  }
}

TEST_CASE("plan: drift and changes at once are told apart step by step") {
  auto world = world_up();
  world.service("frontend").env["MODE"] = "front";
  world.power_off("zipkick-cache-1");
  const auto plan = world.plan();
  for (const auto& step : plan.steps) {
    CAPTURE(step.id);
    CHECK(to_text(step.reason) == (step.server == "zipkick-cache-1" ? "drift" : "change"));
  }
  CHECK(reasons(world) == "change drift");
}

}  // namespace
}  // namespace paas::plan::testing
