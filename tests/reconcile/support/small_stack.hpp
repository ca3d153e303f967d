// A small stack with one service of each kind that keeps something, and what has to hold when it is
// up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reconcile/support/rig.hpp"

namespace paas::reconcile::testing {

inline constexpr std::string_view small = R"(stack: shop
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {web: {pull: "example/web:1"}, postgres: {pull: "example/postgres:16"}}
services:
  web: {type: web, image: web, port: 8000, scale: {min: 2, max: 3}, links: [db]}
  db:
    type: db
    image: postgres
    port: 5432
    scheme: postgresql
    volume: {size: 10GiB, mount: /var/lib/postgresql}
    credentials: {user: app, database: app, env: {POSTGRES_PASSWORD: "{password}"}}
lb: {listen: [80], rules: [{to: web}]}
)";

/// The text with one part replaced by another.
std::string with(std::string text, const std::string& from, const std::string& to);

/// Droplets that were not deleted, sorted.
std::vector<std::string> droplet_names(const World& world);

std::string all_of(const std::vector<Failure>& failures);
std::string step_ids(const plan::Plan& plan);

/// An `up` in which every step is done.
void require_up(Rig& rig);
/// The same for `down`.
void require_down(Rig& rig, plan::Volumes volumes);

/// Exactly the stack is there: what the lockfile says, each once, and nothing is left to do.
void check_only_the_stack(World& world, std::string_view yaml, std::size_t servers);
/// Nothing of the stack is left, and no volume either.
void check_nothing_left(const World& world);

}  // namespace paas::reconcile::testing
