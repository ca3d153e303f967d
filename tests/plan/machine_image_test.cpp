// Which machine images are stale, and what a plan makes of them.
#include "plan/machine_image.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "plan/support/world.hpp"

namespace paas::plan {
namespace {

using testing::World;

constexpr std::int64_t noon = 1'769'860'800;  // 2026-01-31T12:00:00Z

digitalocean::Snapshot snapshot_of(const std::string& digest, const std::string& base) {
  digitalocean::Snapshot snapshot;
  snapshot.id = "7";
  snapshot.name = lockfile::snapshot_name("zipkick", "frontend", "20260131081500",
                                          lockfile::snapshot_origin(digest, base));
  snapshot.created_at = "2026-01-31T08:15:00Z";
  snapshot.regions = {"nyc3"};
  return snapshot;
}

TEST_CASE("machine image: one is stale by its base, by its image, and by its age") {
  World world;
  world.up();
  auto& lockfile = world.input.lockfile;
  auto& release = lockfile.services.at("frontend").releases.back();
  release.image_digest = "sha256:3f54fb9d266d";
  const auto& stack = world.input.stack;
  const auto why = [&](const digitalocean::Snapshot& snapshot, std::int64_t now) {
    return staleness(snapshot, "frontend", stack, lockfile, now);
  };
  const auto good = snapshot_of("sha256:3f54fb9d266d", stack.base_image);
  CHECK(why(good, noon).empty());
  CHECK(why(good, noon + 29 * 86400).empty());
  CHECK(why(good, noon + 30 * 86400) == "its packages are of 30 days ago");
  CHECK(why(good, 0).empty());
  CHECK(why(snapshot_of("sha256:00ff00ff00ff", stack.base_image), noon) ==
        "its image is not that of release 1");
  CHECK(why(snapshot_of("sha256:3f54fb9d266d", "debian-11-x64"), noon) ==
        "it starts from another base image than debian-12-x64");
}

TEST_CASE("machine image: of one whose name says nothing only the age is known") {
  World world;
  world.up();
  auto snapshot = snapshot_of("", "");
  snapshot.name = "zipkick.frontend.image-20260131081500";
  const auto why = [&](std::int64_t now) {
    return staleness(snapshot, "frontend", world.input.stack, world.input.lockfile, now);
  };
  CHECK(why(noon).empty());
  CHECK(why(noon + 40 * 86400) == "its packages are of 40 days ago");
  snapshot.created_at = "soon";
  CHECK(why(noon + 40 * 86400).empty());
}

TEST_CASE("machine image: a plan that makes servers from a stale one says so once") {
  World world;
  world.up();
  world.input.now = noon + 45 * 86400;
  const auto& release = world.input.lockfile.services.at("frontend").releases.back();
  world.input.observed.snapshots = {
      snapshot_of(release.image_digest, world.input.stack.base_image)};
  world.input.observed.snapshots[0].name = "zipkick.frontend.image-20260131081500";
  CHECK(world.plan().warnings.empty());
  world.destroy_droplet("zipkick-frontend-1");
  world.destroy_droplet("zipkick-frontend-2");
  const auto plan = world.plan();
  CHECK(std::count(plan.warnings.begin(), plan.warnings.end(),
                   "machine image zipkick.frontend.image-20260131081500 is stale: its packages are "
                   "of 45 days ago; `paasctl image save frontend --snapshot` makes a new one") ==
        1);
  CHECK(plan.lockfile.servers.at("zipkick-frontend-3").image == "7");
}

TEST_CASE("machine image: no server is made from one of another base image") {
  World world;
  world.input.observed.snapshots = {snapshot_of("sha256:3f54fb9d266d", "debian-11-x64")};
  const auto plan = world.plan();
  CHECK(plan.lockfile.servers.at("zipkick-frontend-1").image == "debian-12-x64");
  CHECK(plan.warnings.size() == 1);
}

}  // namespace
}  // namespace paas::plan
