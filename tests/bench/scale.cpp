// Figures of scale out of the real planner, executor and client, with everything else in memory:
//
// bench_scale up SERVERS [SIDE_BY_SIDE [SECONDS]]: from nothing, under the API's limits, on a clock
//   that moves when a run waits; droplets take SECONDS to become active, by default 30
// bench_scale world SERVERS FOLDER [PRIVATE_KEY]: writes a cloud's state, a lockfile and a stack
//   file for tests/bench/farm.py; the lockfile has the key of that file for SSH
// bench_scale haproxy SERVERS FILE: writes the load balancer's configuration
// bench_scale codec LOCKFILE: reads that lockfile and writes it again, as each save of a run does
//
// Prints and judges nothing.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.hpp"
#include "cloud/state_json.hpp"
#include "haproxy/configuration.hpp"
#include "lockfile/codec.hpp"
#include "reconcile/support/cloud_request.hpp"
#include "reconcile/support/numbers.hpp"
#include "reconcile/support/rig.hpp"

namespace paas::bench {
namespace {

using reconcile::testing::Rig;
using reconcile::testing::World;

/// What a service may have at most.
constexpr int servers_a_service = 1000;
/// Each web service has a rule of the load balancer's firewall, which can have 50.
constexpr int web_services_max = 40;
constexpr int servers_a_request = 10;
constexpr int items_a_page = 200;

int divided(int count, int by) { return (count + by - 1) / by; }

/// Services of at most a thousand servers each, most of them web services.
std::string stack_of(int servers, bool is_small) {
  const int services = divided(servers, servers_a_service);
  std::string text =
      "stack: farm\ncloud: local\nregion: nyc3\nssh: {from: [0.0.0.0/0]}\n"
      "images: {web: {pull: \"example/web:1\"}}\nservices:\n";
  for (int index = 1; index <= services; ++index) {
    const int count = is_small ? 1 : std::min(servers_a_service, servers);
    servers -= count;
    const auto* type = index <= web_services_max ? "web, port: 8000" : "worker";
    text += fmt::format("  w{0}: {{type: {2}, image: web, scale: {{min: {1}, max: {1}}}}}\n", index,
                        count, type);
  }
  return text + "lb: {listen: [80], rules: [{to: w1}]}\n";
}

/// "GET /v2/droplets/{}/firewalls"
std::string kind_of(const cloud::Request& request) {
  auto parts = text::split(request.path, '/');
  for (auto& part : parts) {
    const bool is_identifier =
        part.find_first_of("0123456789:") != std::string::npos && part != "v2";
    if (is_identifier) part = "{}";
  }
  return request.method + " " + text::join(parts, "/");
}

/// The local cloud's core, as strict about its limits as the API, at the run's time. Machines take
/// as long to start as is said, and everything else no time.
class StrictCloud {
 public:
  StrictCloud(Rig& rig, std::chrono::seconds starting) : rig_(rig), starting_(starting) {
    rig.world.cloud.settings.enforce_rate_limits = true;
    rig.world.cloud.settings.droplet_limit = 100'000;
    rig.http.intercept = [this](const HttpRequest& request) { return send(request); };
  }

  std::map<std::string, int> requests;
  int refused = 0;

 private:
  using Time = std::chrono::system_clock::time_point;

  Result<HttpResponse> send(const HttpRequest& request) {
    const std::scoped_lock lock(mutex_);
    const auto now = rig_.clock.now();
    finish_due(now);
    const auto translated = reconcile::testing::cloud_request(request);
    const auto outcome = cloud::handle(rig_.world.cloud, translated, {now, {}});
    begin(outcome.effects, now);
    finish_due(now);
    ++requests[kind_of(translated)];
    if (outcome.answer.status == 429) ++refused;
    return reconcile::testing::http_response(outcome.answer);
  }

  /// Effects of one order key, and those that others have to come before, keep their order.
  void begin(const std::vector<cloud::Effect>& effects, Time now) {
    for (const auto& effect : effects) {
      const bool is_start = std::holds_alternative<cloud::CreateMachine>(effect.kind);
      auto& end = ends_of_keys_[effect.order_key];
      end = std::max(end, is_start ? now + starting_ : now);
      for (const auto& before : effect.after) end = std::max(end, ends_[before]);
      ends_[effect.id] = end;
      open_.emplace(std::pair(end, effect.id));
    }
  }

  void finish_due(Time now) {
    while (!open_.empty() && open_.begin()->first <= now) {
      const auto [end, id] = *open_.begin();
      open_.erase(open_.begin());
      begin(cloud::complete(rig_.world.cloud, {id, "", 1000}, {end, {}}).effects, end);
    }
  }

  Rig& rig_;
  std::chrono::seconds starting_;
  std::mutex mutex_;
  std::set<std::pair<Time, std::int64_t>> open_;
  std::map<std::int64_t, Time> ends_;
  std::map<std::string, Time> ends_of_keys_;
};

int report(const Result<reconcile::Outcome>& outcome) {
  if (!outcome) {
    fmt::print(stderr, "{}\n", describe(outcome.error()));
    return 1;
  }
  for (const auto& failure : outcome->failures) {
    fmt::print(stderr, "{}\n", describe(failure.error));
  }
  return outcome->failures.empty() ? 0 : 1;
}

int up(int servers, int side_by_side, std::chrono::seconds starting) {
  World world;
  Rig rig(world, stack_of(servers - 1, false));
  rig.options.parallelism = side_by_side;
  StrictCloud cloud(rig, starting);
  const auto virtual_start = rig.clock.monotonic();
  const auto start = std::chrono::steady_clock::now();
  const int status = report(rig.up());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  int all = 0;
  int other_changes = 0;
  int checks = 0;
  for (const auto& [kind, count] : cloud.requests) {
    all += count;
    if (!kind.starts_with("GET") && kind != "POST /v2/droplets") other_changes += count;
    if (kind == "GET /v2/droplets/{}/firewalls") checks += count;
  }
  // The load balancer's droplet has a request of its own. The droplets are looked at once when they
  // are there, and every other change is made once.
  const int least =
      divided(servers - 1, servers_a_request) + 1 + divided(servers, items_a_page) + other_changes;
  fmt::print(
      "up of {} servers from nothing, {} steps side by side, {} s until a droplet is active\n",
      servers, side_by_side, starting.count());
  fmt::print("  requests         {}, of which {} were refused with 429\n", all, cloud.refused);
  fmt::print("  the least        {}, and {} with a look at each server's firewall\n", least,
             least + servers);
  fmt::print("  without checks   {} beside {} looks at a server's firewall\n", all - checks,
             checks);
  fmt::print("  virtual time     {}\n", text::duration(rig.clock.monotonic() - virtual_start));
  fmt::print("  computing        {:.1f} s\n", took.count());
  for (const auto& [kind, count] : cloud.requests) fmt::print("  {:6} {}\n", count, kind);
  return status;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string address_of(int block, int number) {
  return fmt::format("{}.{}.{}.{}", block, number >> 16 & 255, number >> 8 & 255, number & 255);
}

/// Servers like the first of each service, with a droplet each.
void multiply(World& world, const stack::Stack& stack) {
  int made = 0;
  auto& lockfile = world.stored;
  for (const auto& service : stack.services) {
    const auto first = lockfile.servers.at(fmt::format("farm-{}-1", service.name));
    const auto droplet = world.cloud.droplets.at(std::stoll(first.droplet.id));
    for (int number = 2; number <= service.scale.min; ++number) {
      ++made;
      auto server = first;
      server.number = number;
      server.droplet = {fmt::format("farm-{}-{}", service.name, number),
                        std::to_string(world.cloud.next_id)};
      server.public_address = address_of(100, 1000 + made);
      server.private_address = address_of(10, 100'000 + made);
      auto copy = droplet;
      copy.id = world.cloud.next_id++;
      copy.name = server.droplet.name;
      copy.public_address = server.public_address;
      copy.private_address = server.private_address;
      world.cloud.droplets[copy.id] = std::move(copy);
      lockfile.servers[server.droplet.name] = std::move(server);
    }
    lockfile.services.at(service.name).count = service.scale.min;
    lockfile.services.at(service.name).next_number = service.scale.min + 1;
  }
  lockfile.applied = stack;
}

int make_world(int servers, const std::string& folder, const std::string& private_key) {
  World world;
  Rig small(world, stack_of(servers - 1, true));
  StrictCloud cloud(small, std::chrono::seconds(0));
  world.cloud.settings.enforce_rate_limits = false;
  if (const int status = report(small.up()); status != 0) return status;
  const auto yaml = stack_of(servers - 1, false);
  multiply(world, Rig(world, yaml).stack);
  if (!private_key.empty()) {
    std::ifstream file(private_key, std::ios::binary);
    world.stored.ssh_key->private_key =
        Secret(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  reconcile::testing::Numbers random;
  const auto lockfile =
      lockfile::encode(world.stored, lockfile::Key(std::string(32, 'k')), random, "");
  if (!lockfile) {
    fmt::print(stderr, "{}\n", describe(lockfile.error()));
    return 1;
  }
  write(folder + "/paas.yaml", yaml);
  write(folder + "/paas.lock", *lockfile);
  write(folder + "/state.json", cloud::encode(world.cloud));
  return 0;
}

/// Milliseconds that the fastest of some calls took.
template <typename Work>
double fastest(const Work& work) {
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    best = round == 0 ? took.count() : std::min(best, took.count());
  }
  return best;
}

int codec(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const lockfile::Key key(std::string(32, 'k'));
  const auto read = lockfile::decode(text, key);
  if (!read) {
    fmt::print(stderr, "{}\n", describe(read.error()));
    return 1;
  }
  reconcile::testing::Numbers random;
  fmt::print("lockfile of {} servers, {}: read in {:.1f} ms, written in {:.1f} ms\n",
             read->servers.size(), text::bytes(text.size()),
             fastest([&] { (void)lockfile::decode(text, key); }),
             fastest([&] { (void)lockfile::encode(*read, key, random, text); }));
  return 0;
}

int haproxy_configuration(int servers, const std::string& path) {
  haproxy::Setup setup;
  setup.stack = "farm";
  setup.listen = {80};
  setup.private_address = "127.0.0.1";
  for (int index = 0; index < divided(servers, servers_a_service); ++index) {
    auto& backend = setup.backends.emplace_back();
    backend.name = fmt::format("w{}", index + 1);
    backend.health_path = "/health";
    backend.internal_port = 30'000 + index;
    for (int number = 1; number <= std::min(servers_a_service, servers - index * servers_a_service);
         ++number) {
      backend.servers.push_back({fmt::format("farm-{}-{}.r1", backend.name, number),
                                 address_of(10, index * servers_a_service + number), 20'000});
    }
  }
  setup.rules = {{"", "", "w1"}};
  const auto start = std::chrono::steady_clock::now();
  const auto text = haproxy::render(setup);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (!text) {
    fmt::print(stderr, "{}\n", describe(text.error()));
    return 1;
  }
  write(path, *text);
  fmt::print("HAProxy's configuration for {} servers: {}, made in {:.1f} ms\n", servers,
             text::bytes(text->size()), took.count());
  return 0;
}

}  // namespace
}  // namespace paas::bench

int main(int argc, char** argv) {
  // What the rig demands of its world is demanded outside of a test here.
  doctest::Context context;
  context.setAsDefaultForAssertsOutOfTestCases();
  context.setAssertHandler([](const doctest::AssertData& data) {
    if (data.m_failed) std::fprintf(stderr, "%s:%d: %s\n", data.m_file, data.m_line, data.m_expr);
  });
  const std::string what = argc > 2 ? argv[1] : "";
  if (what == "codec") return paas::bench::codec(argv[2]);
  const auto servers = argc > 2 ? paas::text::to_integer(argv[2]).value_or(0) : 0;
  const auto count = static_cast<int>(std::clamp<std::int64_t>(servers, 2, 100'000));
  if (what == "up") {
    const auto side_by_side = argc > 3 ? paas::text::to_integer(argv[3]).value_or(10) : 10;
    const auto seconds = argc > 4 ? paas::text::to_integer(argv[4]).value_or(30) : 30;
    return paas::bench::up(count, static_cast<int>(side_by_side), std::chrono::seconds(seconds));
  }
  if (what == "world" && argc > 3) {
    return paas::bench::make_world(count, argv[3], argc > 4 ? argv[4] : "");
  }
  if (what == "haproxy" && argc > 3) return paas::bench::haproxy_configuration(count, argv[3]);
  std::fputs("usage: see the beginning of tests/bench/scale.cpp\n", stderr);
  return 64;
}
