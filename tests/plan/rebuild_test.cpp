// A lockfile that was lost, made again from what exists.
#include "plan/rebuild.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

constexpr const char* network = "vpc-of-the-stack";

/// The example is up, in a network that its droplets tell, and its lockfile is lost.
struct Lost {
  explicit Lost(std::string_view yaml = example) : world(yaml) {
    world.up();
    for (auto& [name, server] : world.input.observed.servers) {
      server.droplet.vpc_id = network;
      keys[name] = "ssh-ed25519 key-of-" + name;
    }
    for (auto& [name, volume] : world.input.observed.volumes) volume.tags = {"paas:zipkick"};
    before = world.lock();
    remains.stack = world.input.stack;
    remains.vpcs = {{"another", "zipkick", "fra1", "10.9.0.0/20", false},
                    {network, "zipkick", "nyc3", "10.10.0.0/20", false}};
  }
  Rebuilt rebuilt() {
    remains.observed = world.input.observed;
    remains.host_keys = keys;
    lockfile::Lockfile fresh;
    fresh.lineage = "fedcba9876543210fedcba9876543210";
    auto result = rebuild(fresh, remains);
    if (!result) FAIL(describe(result.error()));
    return *result;
  }
  void go_on_with(const lockfile::Lockfile& lockfile) {
    world.lock() = lockfile;
    world.lock().ssh_key = before.ssh_key;
    world.input.observed.vpc = remains.vpcs[1];
  }
  /// Goes on with the rebuilt lockfile, until nothing is left to do.
  void go_on() {
    go_on_with(rebuilt().lockfile);
    world.up();
    CHECK(rendered(world.plan()) == "nothing to do\n");
    CHECK(world.violations == std::vector<std::string>{});
  }
  World world;
  Remains remains;
  std::map<std::string, std::string> keys;
  lockfile::Lockfile before;
};

TEST_CASE("rebuild: a server without a container is one that was kept warm, if any was") {
  Lost lost;
  lost.world.service("frontend").scale.warm = 1;
  lost.world.up();
  lost.remains.stack = lost.world.input.stack;
  for (auto& [name, server] : lost.world.input.observed.servers) {
    server.droplet.vpc_id = network;
    lost.keys[name] = "ssh-ed25519 key-of-" + name;
  }
  auto result = lost.rebuilt();
  CHECK(result.lockfile.servers.at("zipkick-frontend-3").warm);
  CHECK(result.lockfile.services.at("frontend").count == 2);
  lost.remains.stack.services.front().scale.warm = 0;
  result = lost.rebuilt();
  CHECK_FALSE(result.lockfile.servers.at("zipkick-frontend-3").warm);
  CHECK(result.lockfile.services.at("frontend").count == 3);
  // Of one that was not looked at nobody can tell.
  lost.remains.stack.services.front().scale.warm = 1;
  lost.world.server("zipkick-frontend-3").machine.reset();
  result = lost.rebuilt();
  CHECK(result.lockfile.services.at("frontend").count == 3);
  CHECK(std::any_of(result.notes.begin(), result.notes.end(), [](const std::string& note) {
    return note.find("kept warm are counted as serving") != std::string::npos;
  }));
}

TEST_CASE("rebuild: what the servers tell is as it was, but for the passwords") {
  Lost lost;
  const auto result = lost.rebuilt();
  const auto& made = result.lockfile;
  CHECK(made.lineage == "fedcba9876543210fedcba9876543210");
  CHECK(made.vpc->id == network);
  CHECK(made.vpc_range == "10.10.0.0/20");
  CHECK(made.firewalls == lost.before.firewalls);
  CHECK(made.volumes == lost.before.volumes);
  CHECK(made.lb->reserved_ip == lost.before.lb->reserved_ip);
  REQUIRE(made.servers.size() == lost.before.servers.size());
  for (const auto& [name, server] : made.servers) {
    CAPTURE(name);
    const auto& known = lost.before.servers.at(name);
    CHECK(server.droplet == known.droplet);
    CHECK(server.private_address == known.private_address);
    CHECK(server.release == known.release);
    CHECK(server.slot == known.slot);
    CHECK(server.prepared);
    CHECK_FALSE(server.leaving);
    CHECK(server.host_key == "ssh-ed25519 key-of-" + name);
  }
  for (const auto& [name, service] : lost.before.services) {
    CAPTURE(name);
    const auto& again = made.services.at(name);
    CHECK(again.count == service.count);
    CHECK(again.next_number == service.next_number);
    CHECK(again.slots == service.slots);
    CHECK(again.internal_port == service.internal_port);
    REQUIRE(again.releases.size() == service.releases.size());
    if (service.releases.empty()) continue;
    CHECK(again.releases.back().image_digest == service.releases.back().image_digest);
    CHECK(again.releases.back().environment_digest == service.releases.back().environment_digest);
  }
  // Without a program that tells the data a new one, the old one is kept.
  CHECK(made.services.at("db").password == lost.before.services.at("db").password);
  CHECK(made.services.at("cache").password.empty());
  CHECK_FALSE(made.services.at("cache").rotation);
}

TEST_CASE("rebuild: the lost lockfile's SSH key is named with the way to remove it") {
  Lost lost;
  lost.remains.ssh_keys = {{7, "aa:bb", "ssh-ed25519 AAAA", "somebody's"},
                           {8, "cc:dd", "ssh-ed25519 BBBB", lockfile::ssh_key_name("zipkick")}};
  const auto notes = lost.rebuilt().notes;
  const auto told = std::count_if(notes.begin(), notes.end(), [](const std::string& note) {
    return note.find(" (8) of the lost lockfile") != std::string::npos &&
           note.find("doctl compute ssh-key delete 8") != std::string::npos;
  });
  CHECK(told == 1);
  for (const auto& note : notes) CHECK(note.find("somebody's") == std::string::npos);
}

TEST_CASE("rebuild: with a `set` program the data is told a new password") {
  Lost lost;
  lost.remains.stack.services[2].credentials->set = {"/usr/local/bin/set-password"};
  REQUIRE(lost.remains.stack.services[2].name == "db");
  const auto made = lost.rebuilt().lockfile;
  CHECK(made.services.at("db").password.empty());
  CHECK(made.services.at("db").rotation == lockfile::PasswordRotation());
}

/// The database's two users take turns, and its servers run with these.
struct LostTurns : Lost {
  explicit LostTurns(const std::vector<std::string>& users) {
    turns(remains.stack.services[2]);
    turns(world.service("db"));
    for (std::size_t i = 0; i < users.size(); ++i) {
      auto& environment = world.container(fmt::format("zipkick-backend-{}", i + 1)).environment;
      environment.at("DB_USER") = users[i];
    }
  }
  static void turns(stack::Service& service) {
    REQUIRE(service.name == "db");
    service.credentials->other_user = "app_b";
    service.credentials->set = {"/usr/local/bin/set-password"};
    service.credentials->retire = {"/usr/local/bin/set-password", "--only"};
  }
};

TEST_CASE("rebuild: of two users the one gets the new password that nobody has") {
  struct Case {
    std::vector<std::string> users;
    std::string in_use, next;
  };
  for (const auto& [users, in_use, next] :
       std::vector<Case>{{{"app", "app"}, "app", "app_b"},
                         {{"app_b", "app_b"}, "app_b", "app"},
                         // A rotation was under way: one of them has to fail for a while.
                         {{"app", "app_b"}, "app", "app_b"},
                         // Neither of the two: as before any rotation.
                         {{"root", "root"}, "", "app_b"}}) {
    CAPTURE(next);
    LostTurns lost(users);
    const auto made = lost.rebuilt().lockfile.services.at("db");
    CHECK(made.user == in_use);
    CHECK(made.rotation ==
          lockfile::PasswordRotation{lockfile::RotationState::pending, Secret(), next});
    CHECK(made.password.empty());
  }
}

TEST_CASE("rebuild: a container that does not run has no say about users") {
  LostTurns lost({"app_b", "app"});
  lost.world.container("zipkick-backend-2").state = "exited";
  CHECK(lost.rebuilt().lockfile.services.at("db").rotation->user == "app");
}

TEST_CASE("rebuild: after it those that link get the other user with the new password") {
  LostTurns lost({"app_b", "app_b"});
  lost.go_on();
  const auto& environment = lost.world.container("zipkick-backend-1").environment;
  CHECK(environment.at("DB_USER") == "app");
  const auto& db = lost.world.lock().services.at("db");
  CHECK(environment.at("DB_PASSWORD") == db.password.reveal());
  CHECK(db.user == "app");
  CHECK_FALSE(db.rotation);
}

/// The example with a database that keeps its data in its container.
std::string without_volume() {
  std::string yaml(example);
  const std::string line = "    volume: {size: 10GiB, mount: /var/lib/postgresql}\n";
  return yaml.erase(yaml.find(line), line.size());
}

struct LostData : Lost {
  LostData() : Lost(without_volume()) {}
  std::string losses() {
    go_on_with(rebuilt().lockfile);
    std::string names;
    for (const auto& loss : world.plan().losses) names += loss.name + " ";
    return names;
  }
};

TEST_CASE("rebuild: a server that was not looked at may hold a database's data") {
  LostData lost;
  lost.keys.clear();
  for (auto& [name, server] : lost.world.input.observed.servers) server.machine.reset();
  CHECK(lost.losses() == "zipkick-db-1 ");
}

TEST_CASE("rebuild: a server of a service that nobody knows may hold data") {
  LostData lost;
  lost.remains.stack.services.erase(
      std::find_if(lost.remains.stack.services.begin(), lost.remains.stack.services.end(),
                   [](const auto& service) { return service.name == "db"; }));
  std::string expected = "zipkick-db-1";
  SUBCASE("it was not looked at") { lost.world.server("zipkick-db-1").machine.reset(); }
  SUBCASE("a container of it may store there") {}
  SUBCASE("it has no container") {
    lost.world.machine("zipkick-db-1").containers.clear();
    expected.clear();
  }
  const auto made = lost.rebuilt().lockfile;
  CHECK(made.servers.at("zipkick-db-1").holds_data == !expected.empty());
  CHECK_FALSE(made.servers.at("zipkick-frontend-1").holds_data);
  CHECK_FALSE(made.servers.at("zipkick-lb-1").holds_data);
}

TEST_CASE("rebuild: it is said whose data goes with a server that was not looked at") {
  LostData lost;
  const auto told = [&] {
    const auto notes = lost.rebuilt().notes;
    return std::count(notes.begin(), notes.end(),
                      "zipkick-db-1 may hold a database's data on its own disk, which is on no "
                      "volume and goes then: `paasctl state rebuild --trust-host-keys` keeps what "
                      "can be looked at");
  };
  CHECK(told() == 0);
  lost.world.server("zipkick-db-1").machine.reset();
  CHECK(told() == 1);
}

TEST_CASE("rebuild: a database in its container keeps its data, and its password without `set`") {
  LostData lost;
  CHECK(lost.losses() == "");
  CHECK(lost.world.lock().servers.at("zipkick-db-1").holds_data);
  CHECK(lost.world.lock().services.at("db").password == lost.before.services.at("db").password);
  const auto container = lost.world.container("zipkick-db-1").name;
  lost.world.up();
  CHECK(lost.world.container("zipkick-db-1").name == container);
}

TEST_CASE("rebuild: a database that is stopped is started again with its data") {
  LostData lost;
  lost.world.container("zipkick-db-1").state = "exited";
  CHECK(lost.losses() == "");
  CHECK(lost.world.lock().servers.at("zipkick-db-1").release == 1);
  lost.world.up();
  CHECK(lost.world.container("zipkick-db-1").state == "running");
}

TEST_CASE("rebuild: a server whose database is on the volume that it has holds nothing else") {
  Lost lost;
  SUBCASE("it was looked at") {}
  SUBCASE("it was not") { lost.world.server("zipkick-db-1").machine.reset(); }
  CHECK_FALSE(lost.rebuilt().lockfile.servers.at("zipkick-db-1").holds_data);
}

TEST_CASE("rebuild: after it one run is enough") {
  Lost lost;
  lost.go_on();
  CHECK(lost.world.lock().servers.contains("zipkick-db-1"));
}

TEST_CASE("rebuild: what servers were told by hand stands in the load balancer's file") {
  Lost lost;
  lost.world.lock().servers.at("zipkick-frontend-1").weight = 0;
  lost.world.lock().servers.at("zipkick-backend-2").weight = 20;
  lost.world.up();
  // A canary's, of a run that was cut short.
  lost.world.balancer().weights["frontend"]["zipkick-frontend-2.r1"] = 1;
  const auto servers = lost.rebuilt().lockfile.servers;
  CHECK(servers.at("zipkick-frontend-1").weight == 0);
  CHECK(servers.at("zipkick-backend-2").weight == 20);
  CHECK_FALSE(servers.at("zipkick-frontend-2").weight);
}

TEST_CASE("rebuild: maintenance goes on") {
  Lost lost;
  CHECK_FALSE(lost.rebuilt().lockfile.lb->maintenance);
  lost.world.lock().lb->maintenance = true;
  lost.world.up();
  CHECK(lost.rebuilt().lockfile.lb->maintenance);
}

TEST_CASE("rebuild: servers that nobody could look at are replaced, and the volume moves") {
  Lost lost;
  lost.keys.clear();
  for (auto& [name, server] : lost.world.input.observed.servers) {
    server.machine.reset();
    server.unreachable = "nobody has its key";
  }
  const auto result = lost.rebuilt();
  for (const auto& [name, server] : result.lockfile.servers) CHECK(server.leaving);
  CHECK(result.lockfile.services.at("frontend").slots == lost.before.services.at("frontend").slots);
  CHECK(result.lockfile.services.at("backend").internal_port ==
        lost.before.services.at("backend").internal_port);
  CHECK(result.lockfile.services.at("db").password.empty());
  const auto is_told = [&](const std::string& part) {
    return std::any_of(result.notes.begin(), result.notes.end(), [&](const std::string& note) {
      return note.find(part) != std::string::npos;
    });
  };
  CHECK(is_told("were not looked at: the next `up` makes others in their place"));
  CHECK(is_told("set the new one of DB_PASSWORD there by hand"));
  lost.go_on();
  CHECK(lost.world.lock().servers.contains("zipkick-db-2"));
  CHECK_FALSE(lost.world.lock().servers.contains("zipkick-db-1"));
  CHECK(lost.world.machine("zipkick-db-2").mounted_volumes.contains("zipkick-db"));
  CHECK(lost.world.input.observed.servers.size() == 7);
}

TEST_CASE("rebuild: what lies in another network is another lockfile's") {
  Lost lost;
  auto& other = lost.world.input.observed.servers["zipkick-frontend-9"];
  other.droplet = lost.world.server("zipkick-frontend-1").droplet;
  other.droplet.name = "zipkick-frontend-9";
  other.droplet.id = 4711;
  other.droplet.vpc_id = "elsewhere";
  const auto result = lost.rebuilt();
  CHECK_FALSE(result.lockfile.servers.contains("zipkick-frontend-9"));
  // Its number is not given out all the same.
  CHECK(result.lockfile.services.at("frontend").next_number == 10);
  REQUIRE_FALSE(result.notes.empty());
  CHECK(result.notes[0] ==
        "droplet zipkick-frontend-9 (4711) is left alone: it is not in the stack's network");
}

bool is_noted(const Rebuilt& result, const std::string& part) {
  return std::any_of(result.notes.begin(), result.notes.end(),
                     [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

TEST_CASE("rebuild: a volume that lost its tag is known by the server that has it") {
  Lost lost;
  auto& volume = lost.world.input.observed.volumes.at("zipkick-db");
  volume.tags = {"backup"};
  SUBCASE("its own server has it") {
    CHECK(lost.rebuilt().lockfile.volumes == lost.before.volumes);
    lost.go_on_with(lost.rebuilt().lockfile);
    lost.world.up();
    CHECK(volume.tags == std::vector<std::string>{"backup", "paas:zipkick"});
  }
  SUBCASE("a server of another service has it") {
    volume.droplet_ids = {lost.world.server("zipkick-cache-1").droplet.id};
    CHECK(lost.rebuilt().lockfile.volumes.empty());
    CHECK(is_noted(lost.rebuilt(), "volume zipkick-db is left alone: it has no tag"));
  }
  SUBCASE("no server has it") {
    volume.droplet_ids.clear();
    CHECK(lost.rebuilt().lockfile.volumes.empty());
    CHECK(is_noted(lost.rebuilt(),
                   "volume zipkick-db is left alone: it has no tag. If it has the "
                   "data of db, `doctl compute tag apply paas:zipkick "
                   "--resource=do:volume:" +
                       volume.id + "` and another `paasctl state rebuild --force`"));
  }
  SUBCASE("it has the tag of another stack") {
    volume.tags = {"paas:zipkick-eu"};
    CHECK(lost.rebuilt().lockfile.volumes.empty());
    CHECK_FALSE(is_noted(lost.rebuilt(), "volume"));
  }
}

TEST_CASE("rebuild: a volume that has the tag and no name of a service's is left alone") {
  Lost lost;
  auto volume = lost.world.input.observed.volumes.at("zipkick-db");
  volume.name = "old";
  lost.world.input.observed.volumes["old"] = volume;
  CHECK(lost.rebuilt().lockfile.volumes == lost.before.volumes);
  CHECK(is_noted(lost.rebuilt(), "volume old is left alone: its name is no service's"));
}

TEST_CASE("rebuild: of two databases the one with the volume stays") {
  Lost lost;
  auto& other = lost.world.input.observed.servers["zipkick-db-2"];
  other = lost.world.server("zipkick-db-1");
  other.droplet.name = "zipkick-db-2";
  other.droplet.id = 4711;
  lost.keys["zipkick-db-2"] = "ssh-ed25519 other";
  const auto made = lost.rebuilt().lockfile;
  CHECK_FALSE(made.servers.at("zipkick-db-1").leaving);
  CHECK(made.servers.at("zipkick-db-2").leaving);
  CHECK(made.services.at("db").count == 1);
  CHECK(made.services.at("db").next_number == 3);
}

TEST_CASE("rebuild: where nothing is left there is nothing to rebuild") {
  Remains remains;
  remains.stack = parsed(example);
  const auto result = rebuild({}, remains);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::not_found);
  CHECK(result.error().message == "nothing of stack zipkick is found in nyc3");
}

}  // namespace
}  // namespace paas::plan::testing
