// Which steps certificates need: new ones, changed files, drift, renewal, and what goes.
#include "plan/certificates.hpp"

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "plan/support/balancer_certificates.hpp"
#include "plan/support/world.hpp"
#include "tls/authority.hpp"

namespace paas::plan::testing {
namespace {

constexpr std::int64_t now = 1'900'000'000;
const std::string name_of_file = "file.tls_shop.pem";

std::string with_tls(const std::string& tls, const std::string& cloud = "local") {
  auto yaml = text::replace_all(std::string(example), "listen: [80]", "listen: [80], tls: " + tls);
  return text::replace_all(yaml, "cloud: local", "cloud: " + cloud);
}

const std::string files_yaml =
    with_tls("{certificates: [{certificate: ./tls/shop.pem, key: ./tls/shop.key}]}");
const std::string own_yaml = with_tls("{acme: {hosts: [a.test, b.test]}}");
const std::string acme_yaml =
    with_tls("{acme: {hosts: [a.test, b.test], email: o@a.test}}", "digitalocean");

World world_of(const std::string& yaml) {
  World world(yaml);
  world.input.now = now;
  world.give_files();
  return world;
}

World world_up(const std::string& yaml) {
  auto world = world_of(yaml);
  world.up();
  CHECK(world.violations == std::vector<std::string>{});
  CHECK(rendered(world.plan()) == "nothing to do\n");
  return world;
}

/// The steps without what they wait for.
std::string steps_of(const World& world) {
  std::string text;
  for (const auto& line : text::lines(rendered(world.plan()))) {
    if (!line.starts_with("    after")) text += line + "\n";
  }
  return text;
}

void check_settles(World& world) {
  world.up();
  CHECK(rendered(world.plan()) == "nothing to do\n");
}

TEST_CASE("plan: certificates have names of their own on the load balancer") {
  const auto stack = parsed(
      with_tls("{certificates: [{certificate: ./a/b.pem, key: k}, {certificate: a_b.pem, key: k, "
               "hosts: [x.test]}, {certificate: /c/d e.pem, key: k}], acme: {hosts: [a.test]}}"));
  const auto wanted = wanted_certificates(stack);
  REQUIRE(wanted.size() == 4);
  CHECK(wanted[0].name == "file.a_b.pem");
  CHECK(wanted[1].name == "file.a_b.pem.2");
  CHECK(certificate_line(wanted[1]) == "/etc/haproxy/certificates/file.a_b.pem.2.pem [] x.test");
  CHECK(wanted[2].name == "file._c_d_e.pem");
  CHECK(wanted[3].name == "host.a.test");
  CHECK(wanted[3].source == CertificateSource::authority);
}

TEST_CASE("plan: no path of a file can add anything to HAProxy's list") {
  auto stack = parsed(files_yaml);
  auto& path = stack.lb->tls->certificates[0].certificate;
  for (int c = 1; c < 256; ++c) {
    path = std::string("./a") + static_cast<char>(c) + "b";
    const auto wanted = wanted_certificates(stack).front();
    CHECK(haproxy::is_certificate_name(wanted.name));
  }
  path = std::string(4000, 'a');
  CHECK(haproxy::is_certificate_name(wanted_certificates(stack).front().name));
}

TEST_CASE("plan: certificates are there before HAProxy is configured, in any order") {
  for (const auto& yaml : {files_yaml, own_yaml, acme_yaml}) {
    for (unsigned seed = 0; seed < 5; ++seed) {
      auto world = world_of(yaml);
      world.apply_shuffled(world.plan(), seed);
      CHECK(world.violations == std::vector<std::string>{});
      CHECK(rendered(world.plan()) == "nothing to do\n");
    }
  }
}

TEST_CASE("plan: a changed certificate file is put in place and nothing else is done") {
  auto world = world_up(files_yaml);
  world.give_files();
  CHECK(
      steps_of(world) ==
      "~ put certificates on zipkick-lb-1 (./tls/shop.pem): ./tls/shop.pem is another certificate "
      "than before\n");
  check_settles(world);
}

TEST_CASE("plan: a certificate that was changed or lost on the load balancer is drift") {
  auto world = world_up(files_yaml);
  auto& certificate = world.balancer().certificates.at(name_of_file);
  SUBCASE("the file was edited") {
    certificate.digest = "00";
    CHECK(steps_of(world).find("[drift] the certificate of ./tls/shop.pem is not the one that was "
                               "put there") != std::string::npos);
  }
  SUBCASE("the file is gone") {
    world.balancer().certificates.erase(name_of_file);
    CHECK(steps_of(world).find("[drift] the certificate of ./tls/shop.pem is gone") !=
          std::string::npos);
  }
  SUBCASE("HAProxy shows another") {
    certificate.shown = "00";
    CHECK(steps_of(world).find("[drift] HAProxy does not show the certificate") !=
          std::string::npos);
  }
  SUBCASE("its line is gone") {
    world.balancer().listed_certificates.pop_back();
    CHECK(steps_of(world).find("[drift] HAProxy does not show the certificate") !=
          std::string::npos);
  }
  SUBCASE("the placeholder is gone") {
    world.balancer().certificates.erase("default");
    CHECK(steps_of(world) ==
          "~ put certificates on zipkick-lb-1 (a placeholder): [drift] the placeholder is gone\n");
  }
  check_settles(world);
}

TEST_CASE("plan: a certificate that an interrupted run brought is written down by the next") {
  auto world = world_up(files_yaml);
  world.lock().lb->certificates.erase(name_of_file);
  CHECK(steps_of(world).find("[unfinished] the certificate of ./tls/shop.pem was put there and not "
                             "written down") != std::string::npos);
  check_settles(world);
}

TEST_CASE("plan: what the own authority signed is renewed when less than a third of it is left") {
  auto world = world_up(own_yaml);
  world.input.now = now + 59 * tls::day_seconds;
  CHECK(world.plan().empty());
  world.input.now = now + 61 * tls::day_seconds;
  CHECK(steps_of(world) ==
        "~ put certificates on zipkick-lb-1 (a.test, b.test): less than a third of the life of "
        "a.test's certificate is left\n");
  check_settles(world);
}

TEST_CASE("plan: another authority signs anew") {
  auto world = world_up(own_yaml);
  const auto other = tls::make_authority("zipkick", now);
  world.lock().authority = lockfile::Authority{other->certificate, other->key};
  CHECK(steps_of(world).find("another authority signed the certificate of a.test") !=
        std::string::npos);
  check_settles(world);
}

TEST_CASE("plan: hosts that are added get a certificate, and those that go lose it at the end") {
  for (const auto& yaml : {own_yaml, acme_yaml}) {
    auto world = world_up(yaml);
    world.input.stack.lb->tls->acme->hosts = {"b.test", "c.test"};
    const auto steps = steps_of(world);
    CAPTURE(steps);
    const bool is_own = yaml == own_yaml;
    CHECK(steps.find(is_own ? "~ put certificates on zipkick-lb-1 (c.test): the certificate of "
                              "c.test is new"
                            : "~ get certificates on zipkick-lb-1 (c.test): c.test has no "
                              "certificate yet") == 0);
    CHECK(steps.find("- remove certificates from zipkick-lb-1 (host.a.test): the stack does not "
                     "name them any more") != std::string::npos);
    check_settles(world);
  }
}

TEST_CASE("plan: https that goes takes its certificates with it") {
  auto world = world_up(files_yaml);
  world.input.stack.lb->tls.reset();
  world.input.certificates.clear();
  CHECK(steps_of(world).find("- remove certificates from zipkick-lb-1 (default, "
                             "file.tls_shop.pem): ") != std::string::npos);
  check_settles(world);
  CHECK(world.balancer().certificates.empty());
}

TEST_CASE("plan: a certificate that certbot renews is no drift, and one that it does not is") {
  auto world = world_up(acme_yaml);
  const auto signer = tls::make_authority("le", now);
  const auto renewed = tls::make_leaf(*signer, {"a.test"}, now);
  put_certificate(world.balancer(), "host.a.test", {}, tls::bundle_of(*renewed).reveal());
  CHECK(world.plan().empty());
  world.input.now = now + 84 * tls::day_seconds;
  CHECK(
      steps_of(world) ==
      "~ get certificates on zipkick-lb-1 (a.test, b.test): [drift] the certificate of a.test was "
      "not renewed in time\n");
}

TEST_CASE("plan: another directory has all certificates asked for again") {
  auto world = world_up(acme_yaml);
  world.input.stack.lb->tls->acme->directory = "https://ca.example.com/directory";
  CHECK(steps_of(world) ==
        "~ get certificates on zipkick-lb-1 (a.test, b.test): another authority gave the "
        "certificate of a.test\n");
  check_settles(world);
}

TEST_CASE("plan: what certbot got is handed on to the load balancer that takes the place") {
  for (unsigned seed = 0; seed < 5; ++seed) {
    auto world = world_up(acme_yaml);
    const auto before = world.balancer().certificates;
    world.input.stack.lb->size = "s-2vcpu-4gb";
    // The host that is new has none yet.
    world.input.stack.lb->tls->acme->hosts = {"b.test", "c.test"};
    CHECK(steps_of(world).find("~ move certificates from zipkick-lb-1 (b.test): the load balancer "
                               "is new\n") != std::string::npos);
    world.apply_shuffled(world.plan(), seed);
    CHECK(world.violations == std::vector<std::string>{});
    CHECK(rendered(world.plan()) == "nothing to do\n");
  }
}

TEST_CASE("plan: a load balancer that is gone or unreachable hands nothing on") {
  auto world = world_up(acme_yaml);
  SUBCASE("gone") { world.input.observed.servers.erase("zipkick-lb-1"); }
  SUBCASE("unreachable") {
    world.input.stack.lb->size = "s-2vcpu-4gb";
    world.input.observed.servers.at("zipkick-lb-1").machine.reset();
  }
  const auto steps = steps_of(world);
  CHECK(steps.find("move certificates") == std::string::npos);
  CHECK(steps.find("~ get certificates on zipkick-lb-2 (a.test, b.test)") != std::string::npos);
  check_settles(world);
}

TEST_CASE("plan: the stack's own authority signs anew and hands nothing on") {
  auto world = world_up(own_yaml);
  world.input.stack.lb->size = "s-2vcpu-4gb";
  CHECK(steps_of(world).find("move certificates") == std::string::npos);
  check_settles(world);
}

TEST_CASE("plan: the firewall opens the ports of https to those whom lb.allow names") {
  auto world = world_of(with_tls("{listen: [443, 8443], acme: {hosts: [a.test]}}"));
  world.input.stack.lb->allow = {"203.0.113.0/24"};
  world.up();
  std::map<std::string, std::vector<std::string>> open;
  for (const auto& rule : world.input.observed.firewalls.at("zipkick-lb").spec.inbound) {
    if (!rule.addresses.empty()) open[rule.ports] = rule.addresses;
  }
  for (const auto* port : {"80", "443", "8443"}) {
    CHECK(open[port] == std::vector<std::string>{"203.0.113.0/24"});
  }
}

}  // namespace
}  // namespace paas::plan::testing
