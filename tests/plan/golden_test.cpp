// Plans as text: each situation's plan is compared with the one that was accepted for it, and all
// of them keep what every plan has to keep.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "base/text.hpp"
#include "plan/planner.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

/// What happened to a stack that was up.
struct Situation {
  const char* name;  ///< Of the golden file.
  std::function<void(World&)> happens;
};

lockfile::Server& made(World& world, const std::string& name) {
  return world.lock().servers.at(name);
}

/// New containers run, and HAProxy still sends all requests to the old ones.
void interrupt_before_the_rotation(World& world) {
  world.service("frontend").env["MODE"] = "front";
  auto plan = world.plan();
  std::erase_if(plan.steps, [](const Step& step) {
    return step.kind == StepKind::add_to_rotation || step.kind == StepKind::retire_container;
  });
  world.apply(plan);
}

const std::vector<Situation>& situations() {
  static const std::vector<Situation> all = {
      {"nothing_to_do", [](World&) {}},
      {"image_changed", [](World& world) { world.change_image("web"); }},
      {"image_changed_of_db", [](World& world) { world.change_image("postgres"); }},
      {"variable_changed", [](World& world) { world.service("frontend").env["MODE"] = "front"; }},
      {"variable_removed", [](World& world) { world.service("backend").env.clear(); }},
      {"port_changed_of_web", [](World& world) { world.service("frontend").port = 8080; }},
      {"port_changed_of_db", [](World& world) { world.service("db").port = 5433; }},
      {"rule_added",
       [](World& world) {
         auto& rules = world.input.stack.lb->rules;
         rules.insert(rules.begin(), {"api.example.com", "", "backend"});
       }},
      {"listen_changed",
       [](World& world) {
         world.input.stack.lb->listen = {80, 8080};
       }},
      {"size_changed_of_web", [](World& world) { world.service("backend").size = "s-2vcpu-2gb"; }},
      {"size_changed_of_db", [](World& world) { world.service("db").size = "s-2vcpu-2gb"; }},
      {"size_changed_of_lb", [](World& world) { world.input.stack.lb->size = "s-2vcpu-2gb"; }},
      {"size_changed_of_everything", [](World& world) { world.input.stack.size = "s-2vcpu-2gb"; }},
      {"size_changed_of_lb_and_a_new_image",
       [](World& world) {
         world.input.stack.lb->size = "s-2vcpu-2gb";
         world.change_image("web");
       }},
      {"password_rotated",
       [](World& world) {
         auto& credentials = *world.service("db").credentials;
         credentials.other_user = "app_b";
         credentials.set = {"/usr/local/bin/set-password"};
         credentials.retire = {"/usr/local/bin/set-password", "--only"};
         world.input.rotate["db"] = "its password is rotated";
       }},
      {"password_rotation_interrupted",
       [](World& world) {
         world.service("cache").credentials->set = {"/usr/local/bin/set-password"};
         world.lock().services.at("cache").rotation =
             lockfile::PasswordRotation{lockfile::RotationState::set, Secret("next"), ""};
       }},
      {"password_rotated_and_a_new_image_of_db",
       [](World& world) {
         world.service("db").credentials->set = {"/usr/local/bin/set-password"};
         world.lock().services.at("db").rotation =
             lockfile::PasswordRotation{lockfile::RotationState::set, Secret("next"), ""};
         world.change_image("postgres");
       }},
      {"volume_grown", [](World& world) { world.service("db").volume->size_gigabytes = 20; }},
      {"volume_deleted",
       [](World& world) {
         world.input.observed.volumes.clear();
         world.machine("zipkick-db-1").mounted_volumes.clear();
       }},
      {"volume_not_mounted",
       [](World& world) { world.machine("zipkick-db-1").mounted_volumes.clear(); }},
      {"droplet_deleted_of_web", [](World& world) { world.destroy_droplet("zipkick-backend-1"); }},
      {"droplet_deleted_of_db", [](World& world) { world.destroy_droplet("zipkick-db-1"); }},
      {"droplet_deleted_of_lb", [](World& world) { world.destroy_droplet("zipkick-lb-1"); }},
      {"droplet_rebuilt",
       [](World& world) { made(world, "zipkick-backend-1").droplet.id = "31337"; }},
      {"scaled_up", [](World& world) { world.lock().services.at("frontend").count = 4; }},
      {"scaled_down",
       [](World& world) {
         world.lock().services.at("frontend").count = 3;
         world.up();
         world.lock().services.at("frontend").count = 2;
       }},
      {"server_taken_out",
       [](World& world) {
         world.lock().services.at("frontend").count = 3;
         world.up();
         world.lock().services.at("frontend").count = 2;
         made(world, "zipkick-frontend-1").leaving = true;
       }},
      {"server_replaced_on_demand",
       [](World& world) { world.input.replace["zipkick-cache-1"] = "asked for"; }},
      {"service_removed",
       [](World& world) {
         world.service("backend").links = {{"db", {}}};
         world.remove_service("cache");
       }},
      {"service_removed_of_web",
       [](World& world) {
         world.service("frontend").links.clear();
         world.input.stack.lb->rules = {{"", "", "frontend"}};
         world.remove_service("backend");
       }},
      {"service_removed_with_volume",
       [](World& world) {
         world.service("backend").links = {{"cache", {}}};
         world.remove_service("db");
       }},
      {"service_added",
       [](World& world) {
         auto worker = world.service("backend");
         worker.name = "mailer";
         worker.type = stack::ServiceType::worker;
         worker.port.reset();
         worker.scale = {};
         world.input.stack.services.push_back(worker);
       }},
      {"rule_added_while_a_service_is_broken",
       [](World& world) {
         for (const auto* name : {"zipkick-backend-1", "zipkick-backend-2"}) {
           world.container(name).state = "exited";
         }
         world.balancer().in_rotation["backend"].clear();
         world.input.stack.lb->rules.insert(world.input.stack.lb->rules.begin(),
                                            {"", "/sorry", "frontend"});
       }},
      {"size_changed_of_everything_and_a_service_removed",
       [](World& world) {
         world.input.stack.size = "s-2vcpu-2gb";
         world.service("frontend").links.clear();
         world.service("db").port = 5433;
         world.input.stack.lb->size = "s-1vcpu-1gb";
         world.input.stack.lb->rules = {{"", "", "frontend"}};
         world.remove_service("backend");
       }},
      {"unreachable_balancer_and_a_service_removed",
       [](World& world) {
         world.cut_off("zipkick-lb-1");
         world.service("frontend").links.clear();
         world.input.stack.lb->rules = {{"", "", "frontend"}};
         world.remove_service("backend");
       }},
      {"web_service_added_with_a_rule",
       [](World& world) {
         auto next = world.service("frontend");
         next.name = "next";
         next.scale = {};
         world.input.stack.services.push_back(next);
         world.input.stack.lb->rules = {{"", "/api/", "backend"}, {"", "", "next"}};
       }},
      {"balancer_removed",
       [](World& world) {
         world.service("frontend").links.clear();
         world.input.stack.lb.reset();
       }},
      {"container_exited_of_db_without_volume",
       [](World& world) {
         world.service("db").volume.reset();
         world.up();
         world.container("zipkick-db-1").state = "exited";
         world.service("backend").env["MODE"] = "back";
       }},
      {"size_changed_of_db_without_volume",
       [](World& world) {
         world.service("db").volume.reset();
         world.up();
         world.service("db").size = "s-2vcpu-2gb";
         world.service("frontend").env["MODE"] = "front";
         world.power_off("zipkick-cache-1");
       }},
      {"firewall_deleted",
       [](World& world) { world.input.observed.firewalls.erase("zipkick-db"); }},
      {"firewall_edited",
       [](World& world) {
         world.input.observed.firewalls.at("zipkick-db").spec.inbound.pop_back();
       }},
      {"firewall_made_again_by_hand",
       [](World& world) { world.input.observed.firewalls.at("zipkick-db").id = "other"; }},
      {"firewall_changed_and_edited",
       [](World& world) {
         world.service("db").allow = {"203.0.113.7/32"};
         world.service("cache").allow = {"203.0.113.7/32"};
         world.input.observed.firewalls.at("zipkick-db").spec.inbound.pop_back();
       }},
      {"firewall_with_a_droplet_of_its_own",
       [](World& world) {
         world.input.observed.firewalls.at("zipkick-db").spec.droplet_ids = {7};
       }},
      {"tag_removed",
       [](World& world) {
         std::erase(world.server("zipkick-backend-1").droplet.tags, "paas:zipkick:uses:db");
         world.server("zipkick-backend-1").droplet.tags.push_back("somebody:else");
       }},
      {"powered_off_web",
       [](World& world) {
         world.power_off("zipkick-backend-1");
         world.balancer().in_rotation["backend"].erase("zipkick-backend-1.r1");
       }},
      {"powered_off_db", [](World& world) { world.power_off("zipkick-db-1"); }},
      {"powered_off_lb", [](World& world) { world.power_off("zipkick-lb-1"); }},
      {"container_exited",
       [](World& world) { world.container("zipkick-backend-2").state = "exited"; }},
      {"container_missing",
       [](World& world) {
         world.machine("zipkick-backend-2").containers.clear();
         world.balancer().in_rotation["backend"].erase("zipkick-backend-2.r1");
       }},
      {"container_left_over",
       [](World& world) {
         auto old = world.container("zipkick-frontend-1");
         old.release = 0;
         old.name = "zipkick-frontend-0";
         world.machine("zipkick-frontend-1").containers.push_back(old);
       }},
      {"unreachable_server",
       [](World& world) {
         world.cut_off("zipkick-backend-1");
         world.balancer().in_rotation["backend"].erase("zipkick-backend-1.r1");
       }},
      {"unreachable_server_and_a_new_image",
       [](World& world) {
         world.cut_off("zipkick-backend-1");
         world.change_image("web");
       }},
      {"unreachable_balancer_and_scaled_down",
       [](World& world) {
         world.lock().services.at("frontend").count = 3;
         world.up();
         world.lock().services.at("frontend").count = 2;
         world.cut_off("zipkick-lb-1");
       }},
      {"interrupted_before_the_post",
       [](World& world) {
         world.destroy_droplet("zipkick-backend-2");
         auto& server = made(world, "zipkick-backend-2");
         server.droplet.id.clear();
         server.private_address.clear();
         server.prepared = false;
         server.size = "s-1vcpu-512mb-10gb";
       }},
      {"interrupted_before_the_identifier",
       [](World& world) {
         auto& server = made(world, "zipkick-backend-2");
         server.droplet.id.clear();
         server.private_address.clear();
         server.prepared = false;
         server.release = 0;
         world.server("zipkick-backend-2").machine.reset();
       }},
      {"interrupted_before_it_was_active",
       [](World& world) {
         auto& server = made(world, "zipkick-backend-2");
         server.private_address.clear();
         server.public_address.clear();
         server.prepared = false;
         server.release = 0;
         world.server("zipkick-backend-2").machine.reset();
         world.server("zipkick-backend-2").droplet.status = "new";
       }},
      {"interrupted_before_it_was_prepared",
       [](World& world) {
         auto& server = made(world, "zipkick-backend-2");
         server.prepared = false;
         server.release = 0;
         world.server("zipkick-backend-2").machine.reset();
       }},
      {"interrupted_before_the_container",
       [](World& world) {
         made(world, "zipkick-db-1").release = 0;
         world.machine("zipkick-db-1").containers.clear();
       }},
      {"interrupted_before_the_rotation",
       [](World& world) { interrupt_before_the_rotation(world); }},
      {"interrupted_before_the_rotation_and_lb_replaced",
       [](World& world) {
         interrupt_before_the_rotation(world);
         world.input.stack.lb->size = "s-2vcpu-2gb";
       }},
      {"interrupted_volume",
       [](World& world) { world.lock().volumes.at("zipkick-db").volume.id.clear(); }},
      {"interrupted_after_the_address",
       [](World& world) {
         world.lock().servers.at("zipkick-lb-1").prepared = false;
         world.balancer() = {};
       }},
      {"interrupted_address", [](World& world) { world.interrupt_address(); }},
      {"interrupted_address_and_lb_replaced",
       [](World& world) {
         world.interrupt_address();
         world.input.stack.lb->size = "s-2vcpu-2gb";
       }},
      {"haproxy_lost_a_server",
       [](World& world) {
         world.balancer().known["frontend"].erase("zipkick-frontend-2.r1");
         world.balancer().in_rotation["frontend"].erase("zipkick-frontend-2.r1");
       }},
      {"haproxy_sends_nothing_to_a_server",
       [](World& world) {
         world.balancer().in_rotation["frontend"].erase("zipkick-frontend-2.r1");
       }},
      {"haproxy_knows_a_stranger",
       [](World& world) { world.balancer().known["frontend"].insert("zipkick-frontend-9.r1"); }},
      {"haproxy_knows_an_old_release",
       [](World& world) { world.balancer().known["frontend"].insert("zipkick-frontend-1.r0"); }},
      {"haproxy_configuration_lacks_a_server",
       [](World& world) {
         auto& text = world.balancer().configuration;
         const auto line = text.find("    server zipkick-frontend-2.r1");
         text.erase(line, text.find('\n', line) + 1 - line);
       }},
      {"haproxy_configuration_has_another_address",
       [](World& world) {
         auto& text = world.balancer().configuration;
         text.insert(text.find('\n', text.find("server zipkick-frontend-2.r1")), "9");
       }},
      {"haproxy_configuration_has_a_destroyed_server",
       [](World& world) {
         auto& text = world.balancer().configuration;
         text.insert(text.find("    server zipkick-frontend-2.r1"),
                     "    server zipkick-frontend-9.r1 10.0.0.9:20000\n");
       }},
      {"haproxy_stopped",
       [](World& world) {
         world.balancer().running = false;
         world.balancer().known.clear();
         world.balancer().in_rotation.clear();
       }},
      {"haproxy_configuration_edited",
       [](World& world) { world.balancer().configuration += "listen hand\n"; }},
      {"haproxy_did_not_reload", [](World& world) { world.balancer().mark = "paas-older"; }},
      {"address_moved",
       [](World& world) { world.input.observed.reserved_ips.front().droplet_id = 7; }},
      {"address_released", [](World& world) { world.input.observed.reserved_ips.clear(); }},
      {"hosts_file_edited", [](World& world) { world.machine("zipkick-backend-1").hosts = ""; }},
      {"link_added",
       [](World& world) {
         world.service("frontend").links.push_back({"cache", {}});
       }},
      {"link_removed", [](World& world) { world.service("backend").links.pop_back(); }},
      {"circle_of_web_links",
       [](World& world) {
         world.service("backend").links.push_back({"frontend", {}});
       }},
      {"pushed_again",
       [](World& world) { world.input.restart["backend"] = "its environment is pushed again"; }},
      {"unknown_droplet",
       [](World& world) {
         world.input.observed.servers["zipkick-web-9"] = world.server("zipkick-backend-1");
         world.input.observed.servers["zipkick-web-9"].droplet.id = 4242;
       }},
  };
  return all;
}

World world_after(const Situation& situation) {
  World world;
  world.up();
  situation.happens(world);
  return world;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void compare(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(PAASCTL_TEST_DATA) / "golden" / (name + ".txt");
  if (std::getenv("PAASCTL_ACCEPT") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  INFO(path.string());
  CHECK(text == read_file(path));
}

TEST_CASE("plan: each situation has the plan that was accepted for it") {
  compare("from_nothing", rendered(World().plan()));
  for (const auto& situation : situations()) {
    compare(situation.name, rendered(world_after(situation).plan()));
  }
  // What was only written down has not been checked against anything.
  if (std::getenv("PAASCTL_ACCEPT") != nullptr) {
    FAIL("the plans were accepted: read the difference, then run without PAASCTL_ACCEPT");
  }
}

TEST_CASE("plan: nothing is done when the world is as the stack says") {
  World world;
  world.up();
  const auto plan = world.plan();
  INFO(rendered(plan));
  CHECK(plan.empty());
  CHECK(plan.warnings.empty());
  CHECK(plan.lockfile == world.lock());
}

void check_invariants(const World& world, const Plan& plan) {
  std::set<std::string> done;
  for (const auto& step : plan.steps) {
    INFO(step.id);
    CHECK_FALSE(step.cause.empty());
    CHECK(step.id.starts_with(to_text(step.kind) + "/"));
    for (const auto& before : step.after) CHECK(done.contains(before));
    CHECK(done.insert(step.id).second);
    // Rotation entries of strangers are the only ones without a server in the lockfile.
    if (!step.server.empty() && step.kind != StepKind::remove_from_rotation) {
      CHECK(plan.lockfile.servers.contains(step.server));
    }
  }
  for (const auto& [name, server] : world.input.lockfile.servers) {
    CHECK(plan.lockfile.servers.contains(name));
  }
  CHECK(ordered(plan.steps).size() == plan.steps.size());
}

TEST_CASE("plan: every step has a cause, a name of its own and its place in the order") {
  check_invariants(World(), World().plan());
  for (const auto& situation : situations()) {
    CAPTURE(situation.name);
    const auto world = world_after(situation);
    check_invariants(world, world.plan());
  }
}

/// Steps of a world that cannot be finished because somebody cut it off.
bool ends_unreachable(const World& world) {
  for (const auto& [name, server] : world.input.observed.servers) {
    if (!server.unreachable.empty() && server.droplet.status == "active") return true;
  }
  return false;
}

TEST_CASE("plan: once a plan was carried out, in any order it permits, there is nothing to do") {
  constexpr unsigned orders = 8;
  for (unsigned seed = 0; seed < orders; ++seed) {
    World world;
    world.apply_shuffled(world.plan(), seed);
    CHECK(text::join(world.violations, "\n") == "");
    CHECK(rendered(world.plan()) == "nothing to do\n");
  }
  for (const auto& situation : situations()) {
    CAPTURE(situation.name);
    const auto begin = world_after(situation);
    if (ends_unreachable(begin)) continue;
    const auto plan = begin.plan();
    for (unsigned seed = 0; seed < orders; ++seed) {
      auto world = begin;
      world.apply_shuffled(plan, seed);
      CHECK(text::join(world.violations, "\n") == "");
      if (seed == 0) CHECK(rendered({world.plan().steps, {}, {}, {}, {}, {}}) == "nothing to do\n");
    }
  }
}

TEST_CASE("plan: making a plan twice gives the same one") {
  for (const auto& situation : situations()) {
    CAPTURE(situation.name);
    const auto world = world_after(situation);
    CHECK(rendered(world.plan()) == rendered(world.plan()));
    CHECK(world.plan().lockfile == world.plan().lockfile);
  }
}

TEST_CASE("plan: down takes everything but the volumes, or those as well") {
  World world;
  world.up();
  const auto keep = make_down(world.lock(), world.input.observed, Volumes::keep);
  const auto destroy = make_down(world.lock(), world.input.observed, Volumes::destroy);
  compare("down", rendered(keep));
  compare("down_with_volumes", rendered(destroy));
  if (std::getenv("PAASCTL_ACCEPT") != nullptr) FAIL("accepted");
  for (unsigned seed = 0; seed < 20; ++seed) {
    auto gone = world;
    gone.apply_shuffled(destroy, seed);
    CHECK(text::join(gone.violations, "\n") == "");
    CHECK(gone.input.observed.servers.empty());
    CHECK(gone.input.observed.volumes.empty());
    CHECK(gone.input.observed.firewalls.empty());
    CHECK(gone.input.observed.reserved_ips.empty());
    CHECK_FALSE(gone.input.observed.vpc);
    CHECK(make_down(gone.lock(), gone.input.observed, Volumes::destroy).empty());
  }
}

TEST_CASE("plan: up after down makes servers with new names around the volume that was kept") {
  World world;
  world.up();
  world.apply(make_down(world.lock(), world.input.observed, Volumes::keep));
  const auto password = world.lock().services.at("db").password;
  const auto plan = world.plan();
  CHECK(plan.lockfile.servers.contains("zipkick-db-2"));
  CHECK_FALSE(plan.lockfile.servers.contains("zipkick-db-1"));
  for (const auto& step : plan.steps) CHECK(step.kind != StepKind::create_volume);
  world.apply(plan);
  CHECK(text::join(world.violations, "\n") == "");
  CHECK(world.plan().empty());
  CHECK(world.lock().services.at("db").password == password);
}

TEST_CASE("plan: down releases an address that an interrupted run did not write down") {
  World world;
  world.up();
  const auto ip = world.lock().lb->reserved_ip;
  world.interrupt_address();
  const auto plan = make_down(world.lock(), world.input.observed, Volumes::keep);
  CHECK(rendered(plan).find("release public address " + ip) != std::string::npos);
}

}  // namespace
}  // namespace paas::plan::testing
