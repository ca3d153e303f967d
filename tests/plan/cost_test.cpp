// What a stack costs before and after a plan.
#include "plan/cost.hpp"

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

const Prices prices = {{"s-1vcpu-1gb", 6}, {"s-2vcpu-2gb", 18}};

MonthlyCost cost(const World& world, const Plan& plan) {
  return cost_of(world.input.lockfile, world.input.observed, plan, prices);
}

TEST_CASE("plan: a stack from nothing costs its droplets, and its volume has no price") {
  const World world;
  const auto result = cost(world, world.plan());
  CHECK(dollars_before(result) == 0);
  CHECK(dollars_after(result) == 7 * 6);
  REQUIRE(result.sizes.size() == 1);
  CHECK(result.sizes[0].size == "s-1vcpu-1gb");
  CHECK(result.sizes[0].before == 0);
  CHECK(result.sizes[0].after == 7);
  CHECK(result.unpriced.volumes_before_gigabytes == 0);
  CHECK(result.unpriced.volumes_after_gigabytes == 10);
  CHECK(result.unpriced.addresses_before == 0);
  CHECK(result.unpriced.addresses_after == 1);
  CHECK(changes(result));
}

TEST_CASE("plan: a plan that changes no droplet costs what there was") {
  World world;
  world.up();
  world.power_off("zipkick-backend-1");
  world.input.observed.snapshots.push_back({});
  world.input.observed.snapshots.back().size_gigabytes = 2.5;
  const auto result = cost(world, world.plan());
  CHECK(dollars_before(result) == 7 * 6);
  CHECK(dollars_after(result) == 7 * 6);
  CHECK(result.unpriced.machine_images_gigabytes == 2.5);
  CHECK_FALSE(changes(result));
}

TEST_CASE("plan: what the cost changes to is counted by size") {
  World world;
  world.up();
  world.service("backend").size = "s-2vcpu-2gb";
  world.service("db").volume->size_gigabytes = 25;
  world.lock().services.at("frontend").count = 3;
  world.destroy_droplet("zipkick-cache-1");
  const auto result = cost(world, world.plan());
  CHECK(dollars_before(result) == 6 * 6);
  CHECK(dollars_after(result) == 6 * 6 + 2 * 18);
  CHECK(result.unpriced.volumes_before_gigabytes == 10);
  CHECK(result.unpriced.volumes_after_gigabytes == 25);
}

TEST_CASE("plan: a droplet that somebody resized costs what its size does") {
  World world;
  world.up();
  world.server("zipkick-frontend-1").droplet.size = "s-2vcpu-2gb";
  const auto result = cost(world, world.plan());
  CHECK(dollars_before(result) == 6 * 6 + 18);
  CHECK(dollars_after(result) == 7 * 6);
}

/// A droplet of the smallest size that carries the stack's tag.
digitalocean::Droplet stray(const std::string& name, std::int64_t id) {
  digitalocean::Droplet droplet;
  droplet.name = name;
  droplet.id = id;
  droplet.size = "s-1vcpu-1gb";
  droplet.vpc_id = "elsewhere";
  droplet.tags = {"paas:zipkick"};
  return droplet;
}

TEST_CASE("plan: what the lockfile does not know costs money before and after") {
  World world;
  world.up();
  auto& observed = world.input.observed;
  observed.servers["zipkick-frontend-9"].droplet = stray("zipkick-frontend-9", 900);
  observed.namesakes.push_back(stray("zipkick-db-1", 901));
  observed.volumes["zipkick-old"] = {"v-old", "zipkick-old", 5, "nyc3", {}, {"paas:zipkick"}};
  observed.volumes["zipkick-eu-db"] = {"v-eu", "zipkick-eu-db", 7, "nyc3", {}, {"paas:zipkick-eu"}};
  const auto result = cost(world, world.plan());
  CHECK(dollars_before(result) == 9 * 6);
  CHECK(dollars_after(result) == 9 * 6);
  CHECK(result.unpriced.volumes_before_gigabytes == 15);
  CHECK(result.unpriced.volumes_after_gigabytes == 15);
  CHECK(text::join(result.unknown, " ") == "zipkick-frontend-9 zipkick-db-1 zipkick-old");
  CHECK_FALSE(changes(result));
}

TEST_CASE("plan: a builder that was left costs money until the next run") {
  World world;
  world.up();
  const std::string name = "zipkick-web-builder-12345678";
  world.lock().temporary[name] = {name, "900"};
  world.input.observed.servers[name].droplet = stray(name, 900);
  const auto result = cost(world, world.plan());
  CHECK(dollars_before(result) == 8 * 6);
  CHECK(dollars_after(result) == 7 * 6);
  CHECK(text::join(result.unknown, " ") == name);
}

TEST_CASE("plan: down says what goes on costing money") {
  World world;
  world.up();
  world.input.observed.servers["zipkick-frontend-9"].droplet = stray("zipkick-frontend-9", 900);
  const auto plan = make_down(world.lock(), world.input.observed, Volumes::keep);
  CHECK(text::join(plan.warnings, "\n") ==
        "volume zipkick-db (10 GiB) is kept with its data and goes on costing money\n"
        "droplet zipkick-frontend-9 (900) carries the stack's tag, but the lockfile does not know "
        "it: it is left alone and goes on costing money");
}

TEST_CASE("plan: down says how large a kept volume is, whoever made it larger") {
  World world;
  world.up();
  world.input.observed.volumes.at("zipkick-db").size_gigabytes = 30;
  const auto plan = make_down(world.lock(), world.input.observed, Volumes::keep);
  CHECK(text::join(plan.warnings, "\n") ==
        "volume zipkick-db (30 GiB) is kept with its data and goes on costing money");
}

TEST_CASE("plan: down says which volumes and addresses it does not know and leaves") {
  World world;
  world.up();
  digitalocean::Volume volume;
  volume.name = "zipkick-extra";
  volume.size_gigabytes = 50;
  volume.tags = {"paas:zipkick"};
  world.input.observed.volumes[volume.name] = volume;
  // Of another stack, and of nobody.
  volume.name = "zipkick-other-db";
  volume.tags = {"paas:zipkick-other"};
  world.input.observed.volumes[volume.name] = volume;
  const auto address = world.lock().lb->reserved_ip;
  world.lock().lb->reserved_ip.clear();
  world.input.observed.reserved_ips.push_back({"203.0.113.9", "nyc3", 0, false});
  world.input.observed.reserved_ips.push_back({"203.0.113.10", "nyc3", 4711, false});
  const auto plan = make_down(world.lock(), world.input.observed, Volumes::destroy);
  CHECK(text::join(plan.warnings, "\n") ==
        "volume zipkick-extra (50 GiB) carries the stack's tag, but the lockfile does not know it: "
        "it is left alone with the tag and goes on costing money\n"
        "reserved IP " +
            address +
            " is on droplet zipkick-lb-1, but the lockfile does not know it: it is left alone and "
            "goes on costing money");
}

TEST_CASE("plan: down leaves the volumes, or nothing") {
  World world;
  world.up();
  const auto keep = cost(world, make_down(world.lock(), world.input.observed, Volumes::keep));
  CHECK(dollars_after(keep) == 0);
  CHECK(keep.unpriced.volumes_after_gigabytes == 10);
  CHECK(keep.unpriced.addresses_before == 1);
  CHECK(keep.unpriced.addresses_after == 0);
  const auto destroy = cost(world, make_down(world.lock(), world.input.observed, Volumes::destroy));
  CHECK(destroy.unpriced.volumes_after_gigabytes == 0);
}

TEST_CASE("plan: a size without a price makes the sum unknown only where it counts") {
  World world;
  world.up();
  world.service("backend").size = "gpu-h100x1-80gb";
  const auto result = cost(world, world.plan());
  CHECK(dollars_before(result) == 7 * 6);
  CHECK_FALSE(dollars_after(result));
}

}  // namespace
}  // namespace paas::plan::testing
