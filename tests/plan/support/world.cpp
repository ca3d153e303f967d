// Carries plans out on plain values and notes each step that came too early.
#include "plan/support/world.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "haproxy/configuration.hpp"
#include "lockfile/names.hpp"
#include "plan/balancer.hpp"
#include "plan/container.hpp"
#include "plan/environment.hpp"
#include "plan/firewall.hpp"
#include "plan/planner.hpp"
#include "stack/parse.hpp"

namespace paas::plan::testing {

const std::string_view example = R"(stack: zipkick
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images:
  web: {build: ./web}
  postgres: {build: ./postgres}
  redis: {build: ./redis}
services:
  frontend: {type: web, image: web, port: 8000, env: {MODE: frontend}, scale: {min: 2, max: 4}, links: [backend]}
  backend: {type: web, image: web, port: 8000, env: {MODE: backend}, scale: {min: 2, max: 4}, links: [db, cache]}
  db:
    type: db
    image: postgres
    port: 5432
    scheme: postgresql
    volume: {size: 10GiB, mount: /var/lib/postgresql}
    credentials: {user: app, database: app, env: {POSTGRES_PASSWORD: "{password}"}}
  cache: {type: cache, image: redis, port: 6379, scheme: redis, credentials: {env: {REDIS_PASSWORD: "{password}"}}}
lb: {listen: [80], rules: [{path: /api/, to: backend}, {to: frontend}]}
)";

stack::Stack parsed(std::string_view yaml) {
  auto result = stack::parse(yaml);
  for (const auto& problem : result.problems) FAIL(stack::render(problem, "paas.yaml"));
  return result.stack;
}

World::World(std::string_view yaml) {
  input.stack = parsed(yaml);
  input.lockfile.lineage = "0123456789abcdef0123456789abcdef";
  for (const auto& [name, source] : input.stack.images) {
    input.images[name] = {"paas-zipkick-" + name + ":1", "sha256:" + name + "-1", false, ""};
  }
}

Plan World::plan() const {
  auto made = make(input);
  if (!made) FAIL(describe(made.error()));
  return *made;
}

void World::up() { apply(plan()); }

stack::Service& World::service(const std::string& name) {
  const auto found = std::find_if(input.stack.services.begin(), input.stack.services.end(),
                                  [&](const auto& candidate) { return candidate.name == name; });
  REQUIRE(found != input.stack.services.end());
  return *found;
}

observe::Container& World::container(const std::string& server_name) {
  auto& containers = machine(server_name).containers;
  REQUIRE(containers.size() == 1);
  return containers.front();
}

void World::destroy_droplet(const std::string& name) {
  const auto id = server(name).droplet.id;
  input.observed.servers.erase(name);
  for (auto& [volume_name, volume] : input.observed.volumes) std::erase(volume.droplet_ids, id);
  for (auto& ip : input.observed.reserved_ips) {
    if (ip.droplet_id == id) ip.droplet_id = 0;
  }
  const auto balancer_server = input.observed.servers.find("zipkick-lb-1");
  if (balancer_server == input.observed.servers.end()) return;
  // HAProxy's checks find out.
  for (auto& [backend, names] : balancer_server->second.machine->balancer->in_rotation) {
    std::erase_if(names, [&](const auto& entry) { return entry.starts_with(name + ".r"); });
  }
}

void World::power_off(const std::string& name) {
  auto& off = server(name);
  asleep_[name] = *off.machine;
  off.machine.reset();
  off.droplet.status = "off";
  off.unreachable = "its droplet is off";
}

void World::cut_off(const std::string& name) {
  server(name).machine.reset();
  server(name).unreachable = "connecting to it took longer than 10s";
}

void World::change_image(const std::string& name) {
  auto& image = input.images.at(name);
  image.needs_build = true;
  image.cause = "its build context changed";
  image.digest.reset();
}

std::string World::new_id(const std::string& kind) {
  return fmt::format("{}-{}", kind, next_id_++);
}

void World::need(bool holds, const Step& step, const std::string& what) {
  if (!holds) violations.push_back(step.id + " before " + what);
}

void World::apply(const Plan& plan) {
  input.lockfile = plan.lockfile;
  for (const auto& declared : input.stack.services) {
    auto& password = input.lockfile.services[declared.name].password;
    if (declared.credentials && password.empty()) password = Secret("pass+" + declared.name);
  }
  made_releases_.clear();
  auto serving_before = served();
  for (const auto& step : plan.steps) {
    perform(step);
    check_served(serving_before, step);
  }
  input.restart.clear();
  input.replace.clear();
}

void World::apply_shuffled(const Plan& plan, unsigned seed) {
  auto shuffled = plan;
  std::mt19937 random(seed);
  std::shuffle(shuffled.steps.begin(), shuffled.steps.end(), random);
  shuffled.steps = ordered(std::move(shuffled.steps));
  apply(shuffled);
}

/// Whether HAProxy on that server sends requests for the service to a container that runs.
bool World::answers(const std::string& balancer_name, const std::string& service_name) const {
  const auto found = input.observed.servers.find(balancer_name);
  if (found == input.observed.servers.end() || !found->second.machine) return false;
  const auto& haproxy = *found->second.machine->balancer;
  const auto names = haproxy.in_rotation.find(service_name);
  if (!haproxy.running || names == haproxy.in_rotation.end()) return false;
  return std::any_of(names->second.begin(), names->second.end(), [&](const std::string& name) {
    const auto behind = input.observed.servers.find(name.substr(0, name.rfind(".r")));
    if (behind == input.observed.servers.end() || !behind->second.machine) return false;
    const auto& containers = behind->second.machine->containers;
    return std::any_of(containers.begin(), containers.end(), [&](const auto& container) {
      return container.service == service_name && container.state == "running" &&
             rotation_name(behind->first, container.release) == name;
    });
  });
}

/// What gets answers now, as seen from outside and from the containers that link to it.
std::set<std::string> World::served() const {
  std::set<std::string> result;
  std::map<std::string, std::string> balancers;  // by address
  for (const auto& [name, entry] : input.observed.servers) {
    balancers[entry.droplet.private_address] = name;
    for (const auto& ip : input.observed.reserved_ips) {
      const bool ours = input.lockfile.lb && ip.ip == input.lockfile.lb->reserved_ip;
      if (ours && ip.droplet_id == entry.droplet.id) balancers["the public address"] = name;
    }
  }
  for (const auto& declared : input.stack.services) {
    if (answers(balancers["the public address"], declared.name)) {
      result.insert(declared.name + " at the public address");
    }
    for (const auto& [name, entry] : input.observed.servers) {
      if (!entry.machine || entry.machine->containers.empty()) continue;
      const auto* client = stack::find_service(input.stack, entry.machine->containers[0].service);
      const auto& hosts = entry.machine->hosts;
      const auto end = hosts.find("\tlb.internal");
      if (client == nullptr || end == std::string::npos) continue;
      const auto begin = hosts.rfind('\n', end) + 1;
      const auto& balancer_name = balancers[hosts.substr(begin, end - begin)];
      for (const auto& link : client->links) {
        if (link.to == declared.name && answers(balancer_name, declared.name)) {
          result.insert(declared.name + " for " + name);
        }
      }
    }
  }
  return result;
}

/// What was served before the plan goes on being served, as long as there is somebody to serve.
void World::check_served(std::set<std::string>& before, const Step& step) {
  const auto now = served();
  std::erase_if(before, [&](const std::string& what) {
    if (now.contains(what)) return false;
    const auto client = what.substr(what.rfind(' ') + 1);
    const bool goes_down = balancer_of(lock()) == nullptr;
    bool matters = client == "address" && !goes_down;
    if (const auto entry = lock().servers.find(client); entry != lock().servers.end()) {
      // With the old load balancer the servers go that only it knew.
      const bool is_idle = entry->second.leaving && (goes_down || step.service == "lb");
      matters = input.observed.servers.contains(client) && !is_idle;
    }
    need(!matters, step, what + " is served by another");
    return true;
  });
}

void World::perform(const Step& step) {
  switch (step.kind) {
    case StepKind::prepare_server:
    case StepKind::tag_server:
    case StepKind::untag_server:
    case StepKind::power_on_server:
    case StepKind::attach_volume:
    case StepKind::send_image:
    case StepKind::start_container:
    case StepKind::retire_container:
    case StepKind::stop_container:
    case StepKind::write_hosts:
      return perform_on_server(step);
    case StepKind::prepare_balancer:
    case StepKind::configure_balancer:
    case StepKind::add_to_rotation:
    case StepKind::remove_from_rotation:
      return perform_on_balancer(step);
    default:
      return perform_resource(step);
  }
}

void World::perform_resource(const Step& step) {
  auto& observed = input.observed;
  switch (step.kind) {
    case StepKind::create_key:
      lock().ssh_key = {{step.subject, new_id("1")}, Secret("key"), "ssh-ed25519 AAAA"};
      return;
    case StepKind::create_vpc:
      lock().vpc = {step.subject, new_id("vpc")};
      observed.vpc = {lock().vpc->id, step.subject, input.stack.region, "10.0.0.0/20", false};
      return;
    case StepKind::create_firewall:
    case StepKind::update_firewall:
      return put_firewall(step);
    case StepKind::close_firewall:
      return close_firewall(step);
    case StepKind::delete_firewall:
      for (const auto& [name, entry] : lock().servers) {
        need(entry.service != step.service, step, "delete_server/" + name);
      }
      observed.firewalls.erase(step.subject);
      lock().firewalls.erase(step.service);
      return;
    case StepKind::build_image:
      input.images.at(step.subject) = {"paas-zipkick-" + step.subject + ":2",
                                       new_id("sha256:" + step.subject), false, ""};
      return;
    case StepKind::create_volume: {
      auto& volume = observed.volumes[step.subject];
      if (volume.id.empty()) {
        volume.id = new_id("volume");
        volume.name = step.subject;
        volume.region = input.stack.region;
        volume.size_gigabytes = service(step.service).volume->size_gigabytes;
      }
      lock().volumes[step.subject] = {
          {step.subject, volume.id}, step.service, volume.size_gigabytes, volume.region};
      return;
    }
    case StepKind::resize_volume:
      observed.volumes.at(step.subject).size_gigabytes =
          service(step.service).volume->size_gigabytes;
      lock().volumes.at(step.subject).size_gigabytes = service(step.service).volume->size_gigabytes;
      return;
    case StepKind::delete_volume:
      need(observed.volumes.at(step.subject).droplet_ids.empty(), step, "detaching it");
      observed.volumes.erase(step.subject);
      lock().volumes.erase(step.subject);
      return;
    case StepKind::create_server:
      return create_server(step);
    case StepKind::create_address:
      need(observed.servers.contains(step.server), step, "create_server/" + step.server);
      lock().lb->reserved_ip = fmt::format("198.18.9.{}", next_id_++);
      observed.reserved_ips.push_back(
          {lock().lb->reserved_ip, input.stack.region, server(step.server).droplet.id, false});
      return;
    case StepKind::assign_address:
      need(observed.servers.contains(step.server), step, "create_server/" + step.server);
      for (auto& ip : observed.reserved_ips) {
        if (ip.ip == lock().lb->reserved_ip) ip.droplet_id = server(step.server).droplet.id;
      }
      return;
    case StepKind::delete_server:
      return delete_server(step);
    case StepKind::forget_server:
      lock().servers.erase(step.server);
      return;
    case StepKind::release_address:
      std::erase_if(observed.reserved_ips, [&](const auto& ip) { return ip.ip == step.subject; });
      if (lock().lb) lock().lb->reserved_ip.clear();
      if (!input.stack.lb) lock().lb.reset();
      return;
    case StepKind::delete_vpc:
      need(observed.servers.empty(), step, "deleting all servers");
      observed.vpc.reset();
      lock().vpc.reset();
      return;
    case StepKind::delete_key:
      lock().ssh_key.reset();
      return;
    default:
      return;
  }
}

void World::put_firewall(const Step& step) {
  auto spec = firewall_of(input.stack, lock(), step.service);
  auto& entry = lock().firewalls[step.service];
  auto& found = input.observed.firewalls[spec.name];
  if (found.id.empty()) found.id = new_id("firewall");
  if (step.kind == StepKind::update_firewall) {
    CHECK(entry.id == found.id);
    spec = with(spec, old_rules(normalised(found.spec), spec));
  }
  entry = {spec.name, found.id};
  // The API keeps no order.
  std::reverse(spec.inbound.begin(), spec.inbound.end());
  found.spec = std::move(spec);
}

void World::close_firewall(const Step& step) {
  auto wanted = firewall_of(input.stack, lock(), step.service);
  auto& found = input.observed.firewalls.at(wanted.name);
  const auto old = old_rules(normalised(found.spec), wanted);
  CHECK_FALSE(old.empty());
  for (const auto& rule : old.inbound) check_unused(std::stoi(rule.ports), step);
  found.spec = std::move(wanted);
}

/// No container that runs was told this port for something it is linked to.
void World::check_unused(int port, const Step& step) {
  for (const auto& [name, entry] : input.observed.servers) {
    if (!entry.machine || lock().servers.at(name).leaving) continue;
    for (const auto& container : entry.machine->containers) {
      const auto& environment = container.environment;
      const bool uses =
          std::any_of(environment.begin(), environment.end(), [&](const auto& variable) {
            return variable.first.ends_with("_PORT") && variable.second == std::to_string(port);
          });
      need(!uses, step, "retire_container/" + name);
    }
  }
}

void World::create_server(const Step& step) {
  auto& entry = lock().servers.at(step.server);
  need(lock().ssh_key.has_value() && !lock().ssh_key->key.id.empty(), step, "create_key");
  need(input.observed.vpc.has_value(), step, "create_vpc");
  need(lock().firewalls.contains(entry.service), step, "create_firewall/" + entry.service);
  auto& droplet = input.observed.servers[step.server].droplet;
  if (droplet.id == 0) {
    droplet.id = next_id_++;
    droplet.name = step.server;
    droplet.size = entry.size;
    droplet.region = entry.region;
    droplet.tags = tags_of(input.stack, entry.service);
  }
  droplet.status = "active";
  droplet.public_address = fmt::format("198.18.0.{}", droplet.id);
  droplet.private_address = fmt::format("10.0.0.{}", droplet.id);
  entry.droplet = {step.server, std::to_string(droplet.id)};
  entry.public_address = droplet.public_address;
  entry.private_address = droplet.private_address;
}

void World::delete_server(const Step& step) {
  const auto entry = lock().servers.at(step.server);
  const auto* kept = balancer_of(lock());
  const auto now = input.observed.servers.find(
      kept == nullptr ? "" : lockfile::server_name(input.stack.name, "lb", kept->number));
  if (now != input.observed.servers.end() && now->second.machine && entry.service != "lb") {
    for (const auto& [backend, names] : now->second.machine->balancer->known) {
      for (const auto& name : names) {
        need(!name.starts_with(step.server + ".r"), step, "taking it out of HAProxy");
      }
    }
  }
  if (entry.service == "lb" && lock().lb && input.observed.servers.contains(step.server)) {
    for (const auto& ip : input.observed.reserved_ips) {
      const bool served = ip.droplet_id == server(step.server).droplet.id;
      need(kept == nullptr || !served, step, "moving the public address");
    }
  }
  if (input.observed.servers.contains(step.server)) destroy_droplet(step.server);
  lock().servers.erase(step.server);
}

/// The inside of a server that is ready to be worked on.
observe::Machine* World::prepared(const Step& step) {
  const auto found = input.observed.servers.find(step.server);
  need(found != input.observed.servers.end(), step, "create_server/" + step.server);
  if (found == input.observed.servers.end()) return nullptr;
  need(found->second.machine.has_value(), step, "prepare_server or power_on_server");
  return found->second.machine ? &*found->second.machine : nullptr;
}

void World::perform_on_server(const Step& step) {
  if (step.kind == StepKind::power_on_server) {
    auto& off = server(step.server);
    off.droplet.status = "active";
    off.machine = asleep_[step.server];
    off.unreachable.clear();
    return;
  }
  if (step.kind == StepKind::tag_server) {
    auto& tags = server(step.server).droplet.tags;
    for (const auto& tag : tags_of(input.stack, step.service)) {
      if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
    }
    return;
  }
  if (step.kind == StepKind::untag_server) {
    untag(step);
    return;
  }
  if (step.kind == StepKind::prepare_server) {
    need(input.observed.servers.contains(step.server), step, "create_server/" + step.server);
    if (!input.observed.servers.contains(step.server)) return;
    need(!lock().servers.at(step.server).private_address.empty(), step, "its address is known");
    auto& inside = server(step.server).machine.emplace();
    if (step.service == "lb") inside.balancer.emplace();
    lock().servers.at(step.server).prepared = true;
    return;
  }
  auto* inside = prepared(step);
  if (inside == nullptr) return;
  if (step.kind == StepKind::attach_volume) {
    attach_volume(step);
  } else if (step.kind == StepKind::send_image) {
    const auto& image = input.images.at(service(step.service).image);
    need(image.digest.has_value(), step, "build_image/" + service(step.service).image);
    if (image.digest) inside->image_digests.insert(*image.digest);
  } else if (step.kind == StepKind::start_container) {
    start_container(step);
  } else if (step.kind == StepKind::retire_container) {
    retire_container(step);
  } else if (step.kind == StepKind::stop_container) {
    for (auto& container : inside->containers) container.state = "exited";
    inside->mounted_volumes.clear();
  } else {
    inside->hosts = hosts_file(lock());
  }
}

void World::attach_volume(const Step& step) {
  const auto volume = input.observed.volumes.find(step.subject);
  need(volume != input.observed.volumes.end(), step, "create_volume/" + step.subject);
  if (volume == input.observed.volumes.end()) return;
  const auto id = server(step.server).droplet.id;
  for (auto& [name, other] : input.observed.servers) {
    need(name == step.server || !other.machine ||
             !other.machine->mounted_volumes.contains(step.subject),
         step, "stop_container/" + name);
  }
  volume->second.droplet_ids = {id};
  machine(step.server).mounted_volumes.insert(step.subject);
}

int World::release_for(const stack::Service& declared, const std::string& identity) {
  if (const auto made = made_releases_.find(declared.name); made != made_releases_.end()) {
    return made->second;
  }
  auto& releases = lock().services.at(declared.name).releases;
  const auto& image = input.images.at(declared.image);
  if (releases.empty() || input.restart.contains(declared.name) ||
      releases.back().image_digest != image.digest ||
      releases.back().environment_digest != identity) {
    const int number = releases.empty() ? 1 : releases.back().number + 1;
    releases.push_back({number, image.reference, image.digest.value_or(""), identity, ""});
  }
  return made_releases_[declared.name] = releases.back().number;
}

void World::untag(const Step& step) {
  auto& found = server(step.server);
  if (found.machine) {
    const auto wanted = environment_of(input.stack, lock(), service(step.service)).values;
    for (const auto& container : found.machine->containers) {
      need(container.environment == wanted, step, "retire_container/" + step.server);
    }
  }
  const auto wanted = tags_of(input.stack, step.service);
  std::erase_if(found.droplet.tags, [&](const std::string& tag) {
    return tag.starts_with("paas:zipkick") &&
           std::find(wanted.begin(), wanted.end(), tag) == wanted.end();
  });
}

void World::start_container(const Step& step) {
  const auto& declared = service(step.service);
  auto& inside = machine(step.server);
  auto& entry = lock().servers.at(step.server);
  const auto variables = environment_of(input.stack, lock(), declared);
  need(variables.unknown.empty(), step,
       fmt::format("{} known", fmt::join(variables.unknown, ", ")));
  const auto digest = input.images.at(declared.image).digest.value_or("");
  need(inside.image_digests.contains(digest), step, "send_image/" + step.server);
  const auto wanted = firewall_of(input.stack, lock(), step.service);
  const auto firewall = input.observed.firewalls.find(wanted.name);
  if (firewall == input.observed.firewalls.end()) {
    need(false, step, "create_firewall/" + step.service);
  } else {
    const auto actual = normalised(firewall->second.spec);
    need(actual == with(wanted, old_rules(actual, wanted)), step, "its firewall is right");
  }
  auto tags = server(step.server).droplet.tags;
  for (const auto& tag : tags_of(input.stack, step.service)) {
    need(std::find(tags.begin(), tags.end(), tag) != tags.end(), step, "tag_server/" + step.server);
  }
  if (declared.volume) {
    need(inside.mounted_volumes.contains(lockfile::volume_name(input.stack.name, declared.name)),
         step, "attach_volume/" + step.server);
  }
  for (const auto& link : declared.links) {
    const auto& target = service(link.to);
    if (target.type == stack::ServiceType::web) continue;
    const auto* answering = serving(lock(), link.to);
    const auto seen = answering == nullptr ? input.observed.servers.end()
                                           : input.observed.servers.find(answering->droplet.name);
    const bool up = seen != input.observed.servers.end() && seen->second.machine &&
                    !seen->second.machine->containers.empty();
    need(up, step, "start_container of " + link.to);
  }
  auto identity = variables.values;
  const auto shape = container_shape(input.stack, lock(), declared);
  identity[""] = shape;
  const int release = release_for(declared, environment_digest(identity));
  int slot = 0;
  for (auto& old : inside.containers) {
    if (declared.type != stack::ServiceType::web) {
      old.state = "exited";
    } else if (old.state == "running" && old.slot == 0) {
      slot = 1;
    }
  }
  std::erase_if(inside.containers, [&](const auto& old) { return old.release == release; });
  inside.containers.push_back({container_name(input.stack, declared.name, release), declared.name,
                               release, slot, "running", digest, shape, variables.values});
  inside.hosts = hosts_file(lock());
  entry.release = release;
  entry.slot = slot;
}

void World::retire_container(const Step& step) {
  const auto release = lock().servers.at(step.server).release;
  const auto name = rotation_name(step.server, release);
  if (input.stack.lb && service(step.service).type == stack::ServiceType::web) {
    leave_rotation([&](const std::string& entry) {
      return entry.starts_with(step.server + ".r") && entry != name;
    });
  }
  std::erase_if(machine(step.server).containers, [&](const auto& container) {
    return container.service != step.service || container.release != release;
  });
}

void World::leave_rotation(const std::function<bool(const std::string&)>& leaves) {
  const auto lb_name = lockfile::server_name(input.stack.name, "lb", balancer_of(lock())->number);
  if (!server(lb_name).machine) return;
  auto& haproxy = *machine(lb_name).balancer;
  for (auto* backends : {&haproxy.known, &haproxy.in_rotation}) {
    for (auto& [backend, names] : *backends) {
      std::erase_if(names, leaves);
    }
  }
  edit_configuration(haproxy, [&](haproxy::Backend& backend) {
    std::erase_if(backend.servers, [&](const auto& line) { return leaves(line.name); });
  });
}

void World::edit_configuration(observe::Balancer& haproxy,
                               const std::function<void(haproxy::Backend&)>& change) {
  for (auto& backend : haproxy::servers_of(haproxy.configuration)) {
    change(backend);
    haproxy.configuration =
        haproxy::with_servers(haproxy.configuration, backend.name, backend.servers);
  }
}

/// The configuration that the stack wants, with the servers that are written now.
std::string World::wanted_configuration(const observe::Balancer& haproxy) const {
  auto setup = balancer_setup(input.stack, input.lockfile);
  for (auto& backend : setup.backends) {
    for (const auto& old : haproxy::servers_of(haproxy.configuration)) {
      if (old.name == backend.name) backend.servers = old.servers;
    }
  }
  const auto text = haproxy::render(setup);
  REQUIRE(text);
  return *text;
}

/// Requests that a rule led somewhere are not led to where nobody answers, and what a container was
/// told is there until it is gone.
void World::check_change(const observe::Balancer& before, const Step& step) {
  if (!before.running) return;
  const auto& after = machine(step.server).balancer->configuration;
  const auto old_targets = haproxy::rule_targets_of(before.configuration);
  for (const auto& target : haproxy::rule_targets_of(after)) {
    need(old_targets.contains(target) || answers(step.server, target), step,
         "add_to_rotation of " + target);
  }
  for (const auto& backend : haproxy::servers_of(before.configuration)) {
    const auto kept = haproxy::servers_of(after);
    const bool stays = std::any_of(kept.begin(), kept.end(), [&](const auto& other) {
      return other.internal_port == backend.internal_port;
    });
    if (!stays) check_unused(backend.internal_port, step);
  }
}

/// A reload forgets what is not in the file; the executor writes those in rotation into it.
void World::configure_balancer(const Step& step) {
  auto& haproxy = *machine(step.server).balancer;
  const auto before = haproxy;
  const auto in_rotation = std::exchange(haproxy.in_rotation, {});
  const auto wanted = wanted_configuration(haproxy);
  haproxy.configuration = step.kind == StepKind::prepare_balancer
                              ? haproxy::transition(haproxy.configuration, wanted)
                              : wanted;
  edit_configuration(haproxy, [&](haproxy::Backend& backend) {
    const auto names = in_rotation.find(backend.name);
    if (haproxy.running) {
      std::erase_if(backend.servers, [&](const auto& line) {
        return names == in_rotation.end() || !names->second.contains(line.name);
      });
    }
    for (const auto& line : backend.servers) haproxy.in_rotation[backend.name].insert(line.name);
  });
  haproxy.running = true;
  haproxy.mark = haproxy::mark_of(haproxy.configuration);
  haproxy.known = haproxy.in_rotation;
  check_change(before, step);
}

void World::perform_on_balancer(const Step& step) {
  if (step.kind == StepKind::remove_from_rotation) {
    return leave_rotation([&](const std::string& entry) {
      return step.subject.empty() ? entry.starts_with(step.server + ".r") : entry == step.subject;
    });
  }
  if (step.kind == StepKind::prepare_balancer || step.kind == StepKind::configure_balancer) {
    if (prepared(step) != nullptr) configure_balancer(step);
    return;
  }
  const auto& entry = lock().servers.at(step.server);
  const auto lb_name = lockfile::server_name(input.stack.name, "lb", balancer_of(lock())->number);
  const auto seen = input.observed.servers.find(lb_name);
  const bool ready = seen != input.observed.servers.end() && seen->second.machine &&
                     seen->second.machine->balancer->running;
  need(ready, step, "configure_balancer/" + lb_name);
  if (!ready) return;
  need(entry.release > 0 && prepared(step) != nullptr, step, "start_container/" + step.server);
  auto& haproxy = *machine(lb_name).balancer;
  const auto name = rotation_name(step.server, entry.release);
  haproxy.known[step.service].insert(name);
  haproxy.in_rotation[step.service].insert(name);
  edit_configuration(haproxy, [&](haproxy::Backend& backend) {
    if (backend.name != step.service) return;
    std::erase_if(backend.servers, [&](const auto& line) { return line.name == name; });
    backend.servers.push_back(balancer_server(lock(), step.server, entry));
  });
}

std::string rendered(const Plan& plan) {
  std::string text;
  for (const auto& step : plan.steps) {
    const auto change = change_of(step.kind);
    text += fmt::format("{} {}: {}\n",
                        change == Change::create   ? '+'
                        : change == Change::update ? '~'
                                                   : '-',
                        describe(step), step.cause);
    if (!step.after.empty()) text += fmt::format("    after {}\n", fmt::join(step.after, ", "));
  }
  for (const auto& warning : plan.warnings) text += "! " + warning + "\n";
  if (plan.empty()) text += "nothing to do\n";
  return text;
}

}  // namespace paas::plan::testing
