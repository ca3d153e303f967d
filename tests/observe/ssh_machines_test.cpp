// Servers whose programs refuse, keep silent or do something else than they were told: the scripts
// themselves in a real shell, and what is made of how they end.
#include "observe/ssh_machines.hpp"

#include <doctest/doctest.h>

#include "observe/support/local_server.hpp"
#include "reconcile/support/no_engine.hpp"
#include "system/posix_files.hpp"
#include "system/system_clock.hpp"

namespace paas::observe {
namespace {

const std::string configuration_before = "global\n  description before\n";
const std::string configuration_after = "global\n  description after\n";

/// A server that can be asked, with nothing on it.
struct AskedServer {
  tests::LocalServer server;
  reconcile::testing::NoEngine no_engine;
  system::PosixFiles files;
  system::SystemClock clock;
  ssh::Connections connections{
      server, files, clock, {.identity_file = "", .runtime_folder = server.folder() + "/ssh"}};
  SshMachines machines{connections, no_engine, clock};
  Target target{"shop-lb-1", "203.0.113.7", "ssh-ed25519 AAAA"};
};

const std::string systemctl = R"sh(
case $1 in
is-active) test ! -e stopped ;;
reload | restart)
  test "$(grep -c '^systemctl re' calls)" != "$(cat takes_over_at)" || echo 200 >worker
  ;;
esac
)sh";

/// A load balancer whose HAProxy runs; its worker is another process after the reload of the
/// number in `takes_over_at`, and never when there is none.
struct BalancerServer : AskedServer {
  BalancerServer() {
    server.write("etc/haproxy/haproxy.cfg", configuration_before);
    server.write("worker", "100");
    server.add_program("haproxy", "test ! -e refuses || { echo 'unknown keyword' >&2; exit 1; }");
    server.add_program("systemctl", systemctl);
    server.add_program("socat", "cat >/dev/null; echo \"Pid: $(cat worker)\"");
    server.add_program("journalctl", "echo 'the old worker goes on'");
    server.add_program("sleep", "");
    server.write("takes_over_at", "1");
  }
  std::string configuration() const { return server.read("etc/haproxy/haproxy.cfg"); }
  Status install() {
    return machines.install_balancer(target, configuration_after, Machines::Reload::yes);
  }
};

TEST_CASE("load balancer: a configuration is checked, put in place and taken over") {
  BalancerServer balancer;
  SUBCASE("by the HAProxy that runs") {
    REQUIRE(balancer.install());
    CHECK(balancer.server.calls("systemctl reload haproxy") == 1);
    CHECK(balancer.server.calls("systemctl restart") == 0);
  }
  SUBCASE("by one that did not run") {
    balancer.server.write("stopped", "");
    REQUIRE(balancer.install());
    CHECK(balancer.server.calls("systemctl restart haproxy") == 1);
  }
  CHECK(balancer.configuration() == configuration_after);
  CHECK_FALSE(balancer.server.has("etc/haproxy/haproxy.cfg.next"));
  CHECK(balancer.server.calls("haproxy -c -q -f " + balancer.server.folder() +
                              "/etc/haproxy/haproxy.cfg.next") == 1);
}

TEST_CASE("case 34: a configuration that HAProxy refuses leaves the file and HAProxy as they are") {
  BalancerServer balancer;
  balancer.server.write("refuses", "");
  const auto installed = balancer.install();
  REQUIRE_FALSE(installed);
  CHECK(installed.error().kind == ErrorKind::invalid);
  CHECK(installed.error().message ==
        "HAProxy refuses the configuration, nothing was changed: unknown keyword");
  CHECK(balancer.configuration() == configuration_before);
  CHECK(balancer.server.calls("systemctl") == 0);
}

TEST_CASE("case 35: a reload that keeps the old worker is asked for again, and is an error") {
  BalancerServer balancer;
  SUBCASE("taken over at the second time") {
    balancer.server.write("takes_over_at", "2");
    CHECK(balancer.install());
    CHECK(balancer.server.calls("systemctl reload haproxy") == 2);
  }
  SUBCASE("never taken over") {
    balancer.server.write("takes_over_at", "never");
    const auto installed = balancer.install();
    REQUIRE_FALSE(installed);
    CHECK(installed.error().kind == ErrorKind::failed);
    CHECK(installed.error().message ==
          "shop-lb-1: HAProxy did not take the new configuration over\nthe old worker goes on");
    CHECK(balancer.server.calls("systemctl reload haproxy") > 1);
  }
  SUBCASE("HAProxy answers no more") {
    balancer.server.add_program(
        "socat", "cat >/dev/null; test $(grep -c ^socat calls) -gt 1 || echo Pid: 100");
    CHECK_FALSE(balancer.install());
  }
}

TEST_CASE("load balancer: a file that somebody changed meanwhile stays as it is") {
  BalancerServer balancer;
  const auto edit = [&balancer] {
    return balancer.machines.edit_balancer(balancer.target, configuration_before,
                                           configuration_after);
  };
  balancer.server.write("etc/haproxy/haproxy.cfg", "somebody's\n");
  CHECK(edit().value() == false);
  CHECK(balancer.configuration() == "somebody's\n");
  balancer.server.write("etc/haproxy/haproxy.cfg", configuration_before);
  CHECK(edit().value() == true);
  CHECK(balancer.configuration() == configuration_after);
  // HAProxy was told by its Runtime API.
  CHECK(balancer.server.calls("systemctl") == 0);
}

TEST_CASE("load balancer: a configuration of which only a part arrived is not put in place") {
  BalancerServer balancer;
  balancer.server.input_limit_bytes = configuration_after.size() - 1;
  CHECK_FALSE(balancer.install());
  CHECK(balancer.configuration() == configuration_before);
  CHECK(balancer.server.calls("systemctl") == 0);
}

/// What `curl` does as an engine with one container that stops answering at the question of a
/// number.
std::string engine_until(int question) {
  return "test \"$(grep -c '^curl' calls)\" -lt " + std::to_string(question) +
         " || { echo 'curl: (7) Failed to connect' >&2; exit 7; }\n"
         "case $* in *images*) echo '[]' ;; *containers/json*) echo '[{\"Id\":\"ab\"}]' ;;\n"
         "*) echo '{\"Id\":\"ab\",\"Name\":\"/shop-web-1\",\"State\":{\"Status\":\"running\"}}' ;; "
         "esac";
}

TEST_CASE("case 30: an engine that stops answering in the middle of a look makes it unknown") {
  constexpr int questions = 3;
  for (int question = 1; question <= questions + 1; ++question) {
    CAPTURE(question);
    AskedServer asked;
    asked.server.add_program("curl", engine_until(question));
    const auto seen = asked.machines.look(asked.target, "shop", false);
    CHECK(asked.server.calls("curl") == std::min(question, questions));
    if (question > questions) {
      REQUIRE_MESSAGE(seen, seen.error().message);
      CHECK(seen->containers.size() == 1);
    } else {
      REQUIRE_FALSE(seen);
      CHECK(seen.error().kind == ErrorKind::unreachable);
      CHECK(seen.error().message ==
            "Docker Engine on shop-lb-1 does not answer: curl: (7) Failed to connect");
    }
  }
}

TEST_CASE("case 30: an engine that does not answer says nothing about a container's health") {
  AskedServer asked;
  const auto health = [&asked] {
    return asked.machines.await_health(asked.target, {"shop-web-1", 80, "/", 100, 0},
                                       std::chrono::milliseconds(0));
  };
  asked.server.add_program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
  const auto silent = health();
  REQUIRE_FALSE(silent);
  CHECK(silent.error().kind == ErrorKind::unreachable);
  asked.server.add_program("docker", "echo 'Error: No such container: shop-web-1' >&2; exit 1");
  const auto gone = health();
  REQUIRE_MESSAGE(gone, gone.error().message);
  CHECK(gone->state.empty());
}

TEST_CASE("load balancer: certbot's certificates are taken over with what renews them, if whole") {
  AskedServer server;
  // What is left of a host whose key is gone.
  const tests::ScratchFolder given;
  ProcessRequest pack;
  pack.arguments = {"sh", "-euc",
                    "cd \"$1\"; mkdir -p accounts renewal live/old.example archive/old.example; "
                    "echo x >renewal/old.example.conf; ln -s ../gone live/old.example/privkey.pem; "
                    "echo x >live/old.example/fullchain.pem; "
                    "tar -cz accounts renewal live archive",
                    "pack", given.path()};
  const auto packed = system::PosixProcesses().run(pack);
  REQUIRE(packed);
  REQUIRE(packed->exit_status == 0);
  const auto taken =
      server.machines.take_issued_certificates(server.target, Secret(packed->output));
  CHECK_MESSAGE(taken, (taken ? "" : describe(taken.error())));
  CHECK(server.server.has("usr/local/sbin/paas-certificate"));
  CHECK_FALSE(server.server.has("etc/letsencrypt/renewal/old.example.conf"));
}

}  // namespace
}  // namespace paas::observe
