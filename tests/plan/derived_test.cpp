// What is derived from stack and lockfile: environments, firewalls, containers, HAProxy's setup.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "plan/balancer.hpp"
#include "plan/container.hpp"
#include "plan/environment.hpp"
#include "plan/firewall.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

World up() {
  World world;
  world.up();
  return world;
}

TEST_CASE("plan: an environment has the service's own variables and those of its links") {
  auto world = up();
  world.lock().services.at("db").password = Secret("a/b@{host}");
  const auto& lock = world.lock();
  const auto variables = environment_of(world.input.stack, lock, world.service("backend"));
  const auto db = lock.servers.at("zipkick-db-1").private_address;
  CHECK(variables.values.at("MODE") == "backend");
  CHECK(variables.values.at("PORT") == "8000");
  CHECK(variables.values.at("PAAS_SERVICE") == "backend");
  CHECK(variables.values.at("DB_HOST") == db);
  // As it is by itself, percent-encoded in a URL, and never taken for a placeholder.
  CHECK(variables.values.at("DB_PASSWORD") == "a/b@{host}");
  CHECK(variables.values.at("DB_URL") ==
        fmt::format("postgresql://app:a%2Fb%40%7Bhost%7D@{}:5432/app", db));
  CHECK(variables.unknown.empty());
  CHECK(variables.secret ==
        std::set<std::string>{"CACHE_PASSWORD", "CACHE_URL", "DB_PASSWORD", "DB_URL"});
}

TEST_CASE("plan: a template's doubled braces are braces and no secret") {
  auto world = up();
  world.service("backend").links[1].env = {{"TEXT", "{{password}}"}};
  const auto variables = environment_of(world.input.stack, world.lock(), world.service("backend"));
  CHECK(variables.values.at("TEXT") == "{password}");
  CHECK_FALSE(variables.secret.contains("TEXT"));
}

TEST_CASE("plan: a link to a web service leads to the load balancer, whatever the count") {
  auto world = up();
  const auto before = environment_of(world.input.stack, world.lock(), world.service("frontend"));
  CHECK(before.values.at("BACKEND_HOST") == "lb.internal");
  world.lock().services.at("backend").count = 4;
  world.up();
  const auto after = environment_of(world.input.stack, world.lock(), world.service("frontend"));
  CHECK(before.values == after.values);
}

TEST_CASE("plan: details of what does not exist yet are unknown, the service's own words are not") {
  World world;
  world.service("backend").env["DB_HOST"] = "elsewhere";
  const auto variables =
      environment_of(world.input.stack, world.plan().lockfile, world.service("backend"));
  CHECK(variables.values.at("DB_HOST") == "elsewhere");
  CHECK_FALSE(variables.unknown.contains("DB_HOST"));
  CHECK(variables.unknown.contains("DB_PASSWORD"));
  const auto own = environment_of(world.input.stack, world.lock(), world.service("db"));
  CHECK(own.unknown == std::set<std::string>{"POSTGRES_PASSWORD"});
}

TEST_CASE("plan: equal environments have equal digests, and a boundary cannot be shifted") {
  CHECK(environment_digest({{"A", "1"}}) == environment_digest({{"A", "1"}}));
  CHECK(environment_digest({{"A", "1"}}) != environment_digest({{"A", "2"}}));
  CHECK(environment_digest({{"A", "1\nB=2"}}) != environment_digest({{"A", "1"}, {"B", "2"}}));
}

std::string inbound(const digitalocean::FirewallSpec& spec) {
  std::string text;
  for (const auto& rule : spec.inbound) {
    text += fmt::format("{} {} {} {}\n", rule.protocol, rule.ports, fmt::join(rule.addresses, ","),
                        fmt::join(rule.tags, ","));
  }
  return text;
}

TEST_CASE("plan: firewalls open what links, load balancer and addresses ask for and nothing else") {
  auto world = up();
  world.service("db").allow = {"203.0.113.7/32"};
  const auto& stack = world.input.stack;
  CHECK(inbound(firewall_of(stack, world.lock(), "db")) ==
        "tcp 22 0.0.0.0/0 \n"
        "tcp 5432 203.0.113.7/32 \n"
        "tcp 5432  paas:zipkick:uses:db\n");
  CHECK(inbound(firewall_of(stack, world.lock(), "frontend")) ==
        "tcp 20000  paas:zipkick:lb\n"
        "tcp 20001  paas:zipkick:lb\n"
        "tcp 22 0.0.0.0/0 \n");
  CHECK(inbound(firewall_of(stack, world.lock(), "lb")) ==
        "tcp 22 0.0.0.0/0 \n"
        "tcp 30000  paas:zipkick:uses:frontend\n"
        "tcp 30001  paas:zipkick:uses:backend\n"
        "tcp 80 0.0.0.0/0,::/0 \n");
  CHECK(firewall_of(stack, world.lock(), "db").outbound.size() == 3);
}

TEST_CASE("plan: limited outbound traffic still reaches what the service is linked to") {
  auto world = up();
  world.service("backend").outbound = std::vector<stack::Outbound>{{"tcp", "443", {"0.0.0.0/0"}}};
  const auto spec = firewall_of(world.input.stack, world.lock(), "backend");
  std::vector<std::string> ports;
  for (const auto& rule : spec.outbound) ports.push_back(rule.ports);
  CHECK(ports == std::vector<std::string>{"443", "5432", "6379"});
}

TEST_CASE("plan: firewalls are compared whatever order and spelling the API gives") {
  digitalocean::FirewallSpec ours;
  ours.inbound = {{"tcp", "22", {"10.0.0.1/32", "::1/128"}, {}, {}},
                  {"icmp", "", {}, {"b", "a"}, {}}};
  digitalocean::FirewallSpec theirs;
  theirs.inbound = {{"icmp", "0", {}, {"a", "b"}, {}}, {"tcp", "22", {"::1", "10.0.0.1"}, {}, {}}};
  CHECK(normalised(ours) == normalised(theirs));
  theirs.inbound[1].ports = "23";
  CHECK(normalised(ours) != normalised(theirs));
}

TEST_CASE("plan: a container publishes on the private address only, with its data on the volume") {
  auto world = up();
  const auto& lock = world.lock();
  const auto spec = container_of(world.input.stack, lock, world.service("db"), "zipkick-db-1",
                                 {7, 0, "postgres:1", "sha256:x"}, {{"A", "1"}, {"B", "2"}});
  CHECK(spec.name == "zipkick-db-7");
  REQUIRE(spec.ports.size() == 1);
  CHECK(spec.ports[0].host_address == lock.servers.at("zipkick-db-1").private_address);
  CHECK(spec.ports[0].host_port == 5432);
  REQUIRE(spec.mounts.size() == 2);
  CHECK(spec.mounts[1].source == "/mnt/zipkick-db/data");
  CHECK(spec.mounts[1].target == "/var/lib/postgresql");
  CHECK(spec.labels.at("paas.variables") == "A,B");
  CHECK(spec.environment ==
        std::vector<std::string>{"A=1", "B=2", "PAAS_SERVER=zipkick-db-1", "PAAS_RELEASE=7"});
  const auto web = container_of(world.input.stack, lock, world.service("frontend"),
                                "zipkick-frontend-1", {1, 1, "web:1", "sha256:y"}, {});
  CHECK(web.ports.at(0).host_port == 20001);
  CHECK(web.ports.at(0).container_port == 8000);
}

TEST_CASE("plan: containers find the load balancer by a hosts file") {
  auto world = up();
  const auto address = world.lock().servers.at("zipkick-lb-1").private_address;
  CHECK(hosts_file(world.lock()) ==
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" + address +
            "\tlb.internal\n");
  world.lock().servers.at("zipkick-lb-1").leaving = true;
  CHECK(hosts_file(world.lock()).find("lb.internal") == std::string::npos);
}

TEST_CASE("plan: HAProxy serves each web service under a name of server and release") {
  auto world = up();
  const auto setup = balancer_setup(world.input.stack, world.lock());
  REQUIRE(setup.backends.size() == 2);
  CHECK(setup.backends[0].name == "frontend");
  CHECK(setup.backends[0].internal_port == 30000);
  CHECK(setup.private_address == world.lock().servers.at("zipkick-lb-1").private_address);
  const auto& server = world.lock().servers.at("zipkick-frontend-2");
  const auto entry = balancer_server(world.lock(), "zipkick-frontend-2", server);
  CHECK(entry.name == "zipkick-frontend-2.r1");
  CHECK(entry.address == server.private_address);
  CHECK(entry.port == 20000);
}

TEST_CASE("plan: only rules between the stack's own servers outlive a change of a firewall") {
  digitalocean::FirewallSpec wanted;
  wanted.inbound = {{"tcp", "22", {"0.0.0.0/0"}, {}, {}}};
  auto actual = wanted;
  const digitalocean::FirewallRule own = {"tcp", "5432", {}, {"paas:zipkick:uses:db"}, {}};
  // Of a load balancer that is no droplet, of others' droplets, and of anybody.
  for (const auto& other : std::vector<digitalocean::FirewallRule>{
           own,
           {"tcp", "80", {}, {}, {}},
           {"tcp", "81", {}, {"office"}, {}},
           {"tcp", "82", {}, {"paas:zipkick:web", "office"}, {}},
           {"tcp", "83", {"10.0.0.1/32"}, {}, {}}}) {
    actual.inbound.push_back(other);
  }
  const auto old = old_rules(normalised(actual), wanted);
  CHECK(old.inbound == std::vector<digitalocean::FirewallRule>{own});
  CHECK(with(wanted, old).inbound.size() == 2);
}

}  // namespace
}  // namespace paas::plan::testing
