// The table of situations.
#include "plan/support/situations.hpp"

#include "haproxy/maintenance.hpp"

namespace paas::plan::testing {

namespace {

lockfile::Server& made(World& world, const std::string& name) {
  return world.lock().servers.at(name);
}

/// New containers run, and HAProxy still sends all requests to the old ones.
void interrupt_before_the_rotation(World& world) {
  world.service("frontend").env["MODE"] = "front";
  auto plan = world.plan();
  std::erase_if(plan.steps, [](const Step& step) {
    return step.kind == StepKind::add_to_rotation || step.kind == StepKind::let_in ||
           step.kind == StepKind::retire_container;
  });
  world.apply(plan);
}

}  // namespace

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
      {"warm_server_added", [](World& world) { world.service("frontend").scale.warm = 1; }},
      {"warm_server_taken",
       [](World& world) {
         world.service("frontend").scale.warm = 1;
         world.up();
         world.lock().services.at("frontend").count = 3;
       }},
      {"warm_server_and_a_new_image",
       [](World& world) {
         world.service("frontend").scale.warm = 1;
         world.up();
         world.change_image("web");
       }},
      {"warm_server_removed",
       [](World& world) {
         world.service("frontend").scale.warm = 1;
         world.up();
         world.service("frontend").scale.warm = 0;
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
      {"server_drained",
       [](World& world) { world.lock().servers.at("zipkick-frontend-2").weight = 0; }},
      {"drained_server_let_in_by_hand",
       [](World& world) {
         world.lock().servers.at("zipkick-frontend-2").weight = 0;
         world.up();
         world.balancer().weights["frontend"]["zipkick-frontend-2.r1"] = 10;
         world.balancer().in_rotation["frontend"].insert("zipkick-frontend-2.r1");
       }},
      {"weight_is_not_on_disk",
       [](World& world) {
         world.lock().servers.at("zipkick-frontend-2").weight = 5;
         world.up();
         auto& text = world.balancer().configuration;
         text.erase(text.find(" weight 5\n"), 9);
       }},
      {"weighed_servers_and_a_new_image",
       [](World& world) {
         world.lock().servers.at("zipkick-frontend-1").weight = 5;
         world.lock().servers.at("zipkick-frontend-2").weight = 0;
         world.up();
         world.change_image("web");
       }},
      {"drained_service_and_a_new_rule",
       [](World& world) {
         for (const auto* name : {"zipkick-backend-1", "zipkick-backend-2"}) {
           world.lock().servers.at(name).weight = 0;
         }
         world.up();
         // Nobody serves it, which is what was asked for.
         world.violations.clear();
         world.input.stack.lb->rules = {{"", "/backend/", "backend"}, {"", "", "frontend"}};
       }},
      {"drained_server_and_haproxy_stopped",
       [](World& world) {
         world.lock().servers.at("zipkick-frontend-2").weight = 0;
         world.up();
         world.balancer().running = false;
         world.balancer().known.clear();
         world.balancer().in_rotation.clear();
       }},
      {"maintenance_on", [](World& world) { world.lock().lb->maintenance = true; }},
      {"maintenance_is_off_on_disk",
       [](World& world) {
         world.lock().lb->maintenance = true;
         world.up();
         auto& text = world.balancer().configuration;
         text = haproxy::with_maintenance(text, false);
       }},
      {"maintenance_and_a_new_rule",
       [](World& world) {
         world.lock().lb->maintenance = true;
         world.up();
         world.input.stack.lb->rules = {{"", "/backend/", "backend"}, {"", "", "frontend"}};
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

bool ends_unreachable(const World& world) {
  for (const auto& [name, server] : world.input.observed.servers) {
    if (!server.unreachable.empty() && server.droplet.status == "active") return true;
  }
  return false;
}

}  // namespace paas::plan::testing
