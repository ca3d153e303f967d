// Carries plans out on plain values and notes each step that came too early.
#include "plan/support/world.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "lockfile/passwords.hpp"
#include "plan/balancer.hpp"
#include "plan/planner.hpp"
#include "plan/releases.hpp"
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

void World::remove_service(const std::string& name) {
  std::erase_if(input.stack.services, [&](const auto& service) { return service.name == name; });
}

observe::Container& World::container(const std::string& server_name) {
  auto& containers = machine(server_name).containers;
  // The one before may be kept, stopped.
  const auto others = std::count_if(containers.begin(), containers.end(),
                                    [](const auto& other) { return other.state == "exited"; });
  REQUIRE(containers.size() - static_cast<std::size_t>(others) <= 1);
  if (containers.size() == 1) return containers.front();
  const auto running = std::find_if(containers.begin(), containers.end(), holds_port);
  REQUIRE(running != containers.end());
  return *running;
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

void World::interrupt_address() {
  lock().lb->reserved_ip.clear();
  lock().lb->intended_for = lock().servers.at("zipkick-lb-1").droplet.id;
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
    auto& entry = input.lockfile.services[declared.name];
    auto& password = entry.rotation ? entry.rotation->password : entry.password;
    if (!declared.credentials || !password.empty()) continue;
    password = Secret(fmt::format("{}+{}", entry.rotation ? new_id("new") : "pass", declared.name));
  }
  made_releases_.clear();
  auto serving_before = served();
  for (const auto& step : plan.steps) {
    perform(step);
    check_served(serving_before, step);
  }
  input.restart.clear();
  input.replace.clear();
  input.rotate.clear();
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
/// The old password is taken away only when nobody has it any more.
void World::perform_on_password(const Step& step) {
  auto& entry = lock().services.at(step.service);
  const auto& own = machine(step.server).containers;
  const bool runs = std::any_of(own.begin(), own.end(),
                                [](const auto& container) { return container.state == "running"; });
  need(runs, step, "start_container/" + step.server);
  if (step.kind == StepKind::set_password) {
    if (entry.rotation->state == lockfile::RotationState::pending) {
      entry.rotation->state = lockfile::RotationState::set;
    }
    return;
  }
  need(entry.rotation->state != lockfile::RotationState::pending, step, "set_password");
  for (const auto& [name, seen] : input.observed.servers) {
    for (const auto& container :
         seen.machine ? seen.machine->containers : std::vector<observe::Container>{}) {
      if (!holds_port(container)) continue;
      for (const auto& [variable, value] : container.environment) {
        const bool is_old = !entry.password.empty() && container.service != step.service &&
                            value.find(entry.password.reveal()) != std::string::npos;
        need(!is_old, step, "retire_container/" + name);
      }
    }
  }
  lockfile::finish_rotation(entry, "2026-11-24T10:00:00Z");
}

void World::perform(const Step& step) {
  switch (step.kind) {
    case StepKind::prepare_server:
    case StepKind::tag_server:
    case StepKind::untag_server:
    case StepKind::power_on_server:
    case StepKind::attach_volume:
    case StepKind::send_image:
    case StepKind::keep_warm:
    case StepKind::run_pre_release:
    case StepKind::start_container:
    case StepKind::resume_container:
    case StepKind::retire_container:
    case StepKind::stop_container:
    case StepKind::write_hosts:
      return perform_on_server(step);
    case StepKind::prepare_balancer:
    case StepKind::configure_balancer:
    case StepKind::add_to_rotation:
    case StepKind::let_in:
    case StepKind::watch_canary:
    case StepKind::set_weight:
    case StepKind::set_maintenance:
    case StepKind::remove_from_rotation:
      return perform_on_balancer(step);
    case StepKind::put_certificates:
    case StepKind::move_certificates:
    case StepKind::issue_certificates:
    case StepKind::remove_certificates:
      return perform_on_certificates(step);
    case StepKind::set_password:
    case StepKind::retire_password:
      return perform_on_password(step);
    default:
      return perform_resource(step);
  }
}
std::string rendered(const Plan& plan) {
  std::string text;
  for (const auto& step : plan.steps) {
    const auto change = change_of(step.kind);
    const auto reason =
        step.reason == Reason::change ? "" : fmt::format("[{}] ", to_text(step.reason));
    text += fmt::format("{} {}: {}{}\n",
                        change == Change::create   ? '+'
                        : change == Change::update ? '~'
                                                   : '-',
                        describe(step), reason, step.cause);
    if (!step.after.empty()) text += fmt::format("    after {}\n", fmt::join(step.after, ", "));
  }
  for (const auto& loss : plan.losses) text += "x " + loss.text + "\n";
  for (const auto& warning : plan.warnings) text += "! " + warning + "\n";
  if (plan.empty()) text += "nothing to do\n";
  return text;
}

}  // namespace paas::plan::testing
