// Certificates: what is read of files and told of them, and what the executor brings to a load
// balancer.
#include "reconcile/certificates.hpp"

#include <doctest/doctest.h>

#include "lockfile/seal.hpp"
#include "plan/certificates.hpp"
#include "reconcile/support/memory_files.hpp"
#include "reconcile/support/small_stack.hpp"
#include "stack/parse.hpp"
#include "tls/authority.hpp"

namespace paas::reconcile::testing {
namespace {

constexpr std::int64_t now = 1'800'000'000;
constexpr std::string_view certificate_name = "file.tls_shop.pem";

std::string with_tls(const std::string& tls, const std::string& cloud) {
  return with(with(std::string(small), "stack: shop\n", "stack: shop\ncloud: " + cloud + "\n"),
              "listen: [80]", "listen: [80], tls: " + tls);
}

const std::string files_yaml =
    with_tls("{certificates: [{certificate: ./tls/shop.pem, key: ./tls/shop.key}]}", "local");
const std::string own_yaml = with_tls("{acme: {hosts: [a.test, b.test]}}", "local");
const std::string acme_yaml =
    with_tls("{acme: {hosts: [a.test, b.test], email: o@a.test}}", "digitalocean");

tls::Pair made_for(const std::vector<std::string>& hosts, std::int64_t begin = now) {
  const auto signer = tls::make_authority("elsewhere", begin);
  REQUIRE(signer);
  auto leaf = tls::make_leaf(*signer, hosts, begin);
  REQUIRE(leaf);
  return *leaf;
}

observe::Balancer& balancer_in(World& world) {
  return *world.insides.machines.at("shop-lb-1").balancer;
}

/// What is told of a pair of files with these rules.
std::vector<std::string> remarks_of(const tls::Pair& pair, const std::string& rules = "[{to: web}]",
                                    const std::string& hosts = "[]") {
  MemoryFiles files;
  REQUIRE(files.write_atomically("folder/tls/shop.pem", pair.certificate, 0644));
  REQUIRE(files.write_atomically("folder/tls/shop.key", pair.key.reveal(), 0600));
  auto stack = stack::parse(with(files_yaml, "rules: [{to: web}]", "rules: " + rules)).stack;
  if (hosts != "[]") stack.lb->tls->certificates[0].hosts = {hosts};
  const auto read = read_certificates(files, "folder", stack, now);
  std::vector<std::string> result;
  for (const auto& remark : read.remarks) {
    const bool is_error = remark.weight == CertificateRemark::Weight::error;
    result.push_back((is_error ? "error " : "warning ") + remark.key_path + ": " + remark.message +
                     "; " + remark.hint);
  }
  return result;
}

using Remarks = std::vector<std::string>;

TEST_CASE("reconcile: certificate files are read and judged") {
  CHECK(remarks_of(made_for({"shop.test"})) == Remarks{});
  CHECK(remarks_of({"none", Secret("none")})
            .front()
            .starts_with("error lb.tls.certificates[0].certificate: has no certificate in PEM"));
  CHECK(remarks_of({made_for({"a.test"}).certificate, made_for({"a.test"}).key})
            .front()
            .starts_with("error lb.tls.certificates[0].key: is not the key of the first"));
  CHECK(remarks_of(made_for({"a.test"}, now - 93 * tls::day_seconds)) ==
        Remarks{"error lb.tls.certificates[0].certificate: it ended 3 days ago; put a renewed "
                "one there"});
  CHECK(remarks_of(made_for({"a.test"}, now - 80 * tls::day_seconds)) ==
        Remarks{"warning lb.tls.certificates[0].certificate: it is over in 10 days; put a renewed "
                "one there, and `paasctl up` brings it to the load balancer"});
  CHECK(remarks_of(made_for({"a.test"}, now - 75 * tls::day_seconds)) == Remarks{});
  CHECK(remarks_of(made_for({"a.test"}, now + 9 * tls::day_seconds))
            .front()
            .starts_with("error lb.tls.certificates[0].certificate: it begins in"));
}

TEST_CASE("reconcile: a certificate that no rule and no host of the file uses is told") {
  const auto pair = made_for({"a.test", "*.b.test"});
  const std::string rules = "[{host: c.test, to: web}, {host: x.b.test, to: web}]";
  CHECK(remarks_of(pair, rules) == Remarks{});
  CHECK(
      remarks_of(pair, "[{host: c.test, to: web}]") ==
      Remarks{"warning lb.tls.certificates[0].certificate: it is for none of the hosts that rules "
              "name; it is for a.test, *.b.test"});
  CHECK(remarks_of(pair, "[{host: c.test, to: web}, {to: web}]") == Remarks{});
  CHECK(remarks_of(pair, "[{to: web}]", "c.test") ==
        Remarks{"warning lb.tls.certificates[0].hosts: c.test is not in the certificate; it is for "
                "a.test, *.b.test"});
}

TEST_CASE("reconcile: a certificate file that is not there is told") {
  MemoryFiles files;
  const auto read = read_certificates(files, "folder", stack::parse(files_yaml).stack, now);
  REQUIRE(read.remarks.size() == 2);
  CHECK(read.remarks[0].message == "no such file: folder/tls/shop.pem");
  CHECK(read.remarks[1].key_path == "lb.tls.certificates[0].key");
  CHECK(read.bundles.empty());
}

TEST_CASE(
    "reconcile: a certificate of files comes to the load balancer, and another in its place") {
  World world;
  Rig rig(world, files_yaml);
  rig.options.certificates[std::string(certificate_name)] = tls::bundle_of(made_for({"shop.test"}));
  require_up(rig);
  const auto digest_of = [&] {
    return lockfile::sha256_hex(
        rig.options.certificates.at(std::string(certificate_name)).reveal());
  };
  CHECK(world.insides.reloads == 1);
  CHECK(balancer_in(world).certificates.at(std::string(certificate_name)).digest == digest_of());
  CHECK(world.stored.lb->certificates.at(std::string(certificate_name)) == digest_of());
  CHECK(step_ids(*rig.plan()) == "");

  rig.options.certificates[std::string(certificate_name)] = tls::bundle_of(made_for({"shop.test"}));
  require_up(rig);
  CHECK(balancer_in(world).certificates.at(std::string(certificate_name)).digest == digest_of());
  CHECK(step_ids(*rig.plan()) == "");
  CHECK(world.insides.reloads == 1);
  for (const auto& event : rig.events) CHECK(event.text.find("PRIVATE KEY") == std::string::npos);
}

TEST_CASE("reconcile: the stack's own authority is made once and signs what is missing") {
  World world;
  {
    Rig rig(world, own_yaml);
    require_up(rig);
    CHECK(step_ids(*rig.plan()) == "");
  }
  REQUIRE(world.stored.authority);
  const auto authority = *world.stored.authority;
  const auto before = balancer_in(world).certificates;
  for (const auto& host : {"a.test", "b.test"}) {
    const auto& text = before.at(std::string("host.") + host).text;
    CHECK(tls::is_signed_by(text, authority.certificate));
    CHECK(tls::read_certificate(text)->hosts == std::vector<std::string>{host});
  }
  Rig rig(world, with(own_yaml, "[a.test, b.test]", "[b.test, c.test]"));
  require_up(rig);
  const auto& after = balancer_in(world).certificates;
  CHECK(world.stored.authority == authority);
  CHECK(after.at("host.b.test").digest == before.at("host.b.test").digest);
  CHECK(tls::is_signed_by(after.at("host.c.test").text, authority.certificate));
  CHECK_FALSE(after.contains("host.a.test"));
  CHECK_FALSE(world.stored.lb->certificates.contains("host.a.test"));
  CHECK(world.insides.reloads == 1);
  CHECK(step_ids(*rig.plan()) == "");
}

TEST_CASE("reconcile: a refusal of the certificate authority leaves all else as the stack says") {
  World world;
  Rig rig(world, acme_yaml);
  rig.machines.elsewhere = {"b.test"};
  const auto refused = rig.up();
  REQUIRE(refused);
  REQUIRE(refused->failures.size() == 1);
  CHECK(refused->failures[0].step.id == "issue_certificates/shop-lb-1");
  CHECK(refused->failures[0].error.message == "no certificate for b.test");
  CHECK(refused->skipped == 0);
  CHECK(balancer_in(world).in_rotation.at("web").size() == 2);
  CHECK(step_ids(*rig.plan()) == "issue_certificates/shop-lb-1: b.test has no certificate yet\n");
  rig.machines.elsewhere.clear();
  require_up(rig);
  CHECK(step_ids(*rig.plan()) == "");
  CHECK(world.insides.reloads == 1);
}

TEST_CASE("reconcile: a new load balancer is given the certificates of the old one") {
  World world;
  Rig rig(world, own_yaml);
  require_up(rig);
  rig.stack.lb->size = "s-2vcpu-4gb";
  require_up(rig);
  const auto& haproxy = *world.insides.machines.at("shop-lb-2").balancer;
  CHECK(haproxy.shown_certificates.size() == 3);
  CHECK(step_ids(*rig.plan()) == "");
}

TEST_CASE("reconcile: what certbot got is handed on and not asked for again") {
  World world;
  Rig rig(world, acme_yaml);
  require_up(rig);
  CHECK(rig.machines.ordered == 2);
  const auto before = balancer_in(world).certificates;
  rig.stack.lb->size = "s-2vcpu-4gb";
  const auto text_on_new = [&](const std::string& name) {
    return world.insides.machines.at("shop-lb-2").balancer->certificates.at(name).text;
  };
  SUBCASE("by one that answers") {
    require_up(rig);
    CHECK(rig.machines.ordered == 2);
    for (const auto& name : {"host.a.test", "host.b.test"}) {
      CHECK(text_on_new(name) == before.at(name).text);
    }
  }
  SUBCASE("one that cannot give them is replaced all the same") {
    rig.machines.is_silent_on_issued = true;
    require_up(rig);
    CHECK(rig.machines.ordered == 4);
    CHECK(text_on_new("host.a.test") != before.at("host.a.test").text);
    const bool is_told = std::any_of(rig.events.begin(), rig.events.end(), [](const auto& event) {
      return event.text == "not moved: the connection broke";
    });
    CHECK(is_told);
  }
  CHECK(step_ids(*rig.plan()) == "");
}

}  // namespace
}  // namespace paas::reconcile::testing
