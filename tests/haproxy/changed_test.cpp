// Configurations as they are read back, and what lies between two of them.
#include "haproxy/configuration.hpp"

#include <doctest/doctest.h>

#include <string>

#include "haproxy/maintenance.hpp"
#include "haproxy/support/checks.hpp"

namespace paas::haproxy {
namespace {

using test::changed;
using test::check_golden;
using test::check_refused;
using test::with_rules;
using test::with_sticky;
using test::zipkick;

TEST_CASE("haproxy: a weight stands in the server's line, and is no reason to reload") {
  auto setup = zipkick();
  const auto before = *render(setup);
  auto& servers = setup.backends[0].servers;
  REQUIRE(servers.size() > 1);
  servers[0].weight = 0;
  servers[1].weight = 256;
  const auto after = *render(setup);
  CHECK(after.find(servers[0].name + " " + servers[0].address + ":" +
                   std::to_string(servers[0].port) + " weight 0\n") != std::string::npos);
  CHECK(servers_of(after)[0].servers == servers);
  CHECK(without_servers(after) == without_servers(before));
  CHECK(mark_of(after) == mark_of(before));
  CHECK(with_servers(before, setup.backends[0].name, servers) == after);
  check_refused([](Setup& bad) { bad.backends[0].servers[0].weight = 257; }, "from 0 to 256");
  check_refused([](Setup& bad) { bad.backends[0].servers[0].weight = -1; }, "from 0 to 256");
}

TEST_CASE("haproxy: maintenance is a line in the file, and no reason to reload") {
  auto setup = zipkick();
  const auto off = *render(setup);
  setup.maintenance = true;
  const auto on = *render(setup);
  CHECK(maintenance_of(off) == false);
  CHECK(maintenance_of(on) == true);
  CHECK(with_maintenance(off, true) == on);
  CHECK(with_maintenance(on, false) == off);
  CHECK(without_servers(on) == without_servers(off));
  CHECK(mark_of(on) == mark_of(off));
  setup.listen.clear();
  CHECK_FALSE(maintenance_of(*render(setup)));
  // An authority is answered all the same.
  setup = zipkick();
  setup.tls.emplace();
  setup.tls->listen = {443};
  CHECK(render(setup)->find("if { nbsrv(lb.maintenance) gt 0 } !{ path_beg "
                            "/.well-known/acme-challenge/ }\n") != std::string::npos);
}

TEST_CASE("haproxy: between two configurations redirects are those of the rules that serve") {
  auto old = with_rules();
  auto wanted = with_rules();
  wanted.rules.at(1).redirect = stack::Redirect{"/elsewhere"};
  wanted.rules.at(3) = {.host = "", .path = "/x", .to = "", .redirect = stack::Redirect{"/y"}};
  wanted.backends.at(1).health_path = "/ready";
  const auto between = transition(*render(old), *render(wanted));
  CHECK(between.find("/elsewhere") == std::string::npos);
  CHECK(between.find("backend rule.4") == std::string::npos);
  CHECK(between.find("redirect location /new/") != std::string::npos);
  CHECK(between.find("uri /ready") != std::string::npos);
  CHECK(is_intact(between));
  CHECK(transition(between, *render(wanted)) == between);
}

TEST_CASE("haproxy: between two configurations the tables of either have their peer") {
  for (const auto& between : {transition(*render(with_sticky()), *render(changed())),
                              transition(*render(changed()), *render(with_sticky()))}) {
    CHECK(between.find("\npeers local\n") != std::string::npos);
    CHECK(between.find("    localpeer lb\n") != std::string::npos);
    CHECK(is_intact(between));
  }
  const auto between = transition(*render(with_sticky()), *render(changed()));
  CHECK(transition(between, *render(changed())) == between);
}

TEST_CASE("haproxy: between two configurations no rule asks for a table that is gone") {
  const auto before = *render(with_sticky());
  auto wanted = with_sticky();
  wanted.backends[0].sticky = stack::Sticky{};
  wanted.backends[1].sticky.reset();
  const auto between = transition(before, *render(wanted));
  check_golden("transition_of_tables", between);
  CHECK(before.find("in_table(") != std::string::npos);
  CHECK(between.find("in_table(") == std::string::npos);
  CHECK(transition(between, *render(wanted)) == between);
  CHECK(transition(before, before) == before);
}

TEST_CASE("haproxy: the backends are read back as they were rendered") {
  const auto setup = zipkick();
  CHECK(servers_of(*render(setup)) == setup.backends);

  auto unusual = setup;
  unusual.backends[0].servers = {{"zipkick-frontend-1.r1", "fd00::3", 20010}};
  unusual.backends[1].internal_port = 0;
  unusual.backends[1].servers.clear();
  CHECK(servers_of(*render(unusual)) == unusual.backends);
}

TEST_CASE("haproxy: only a change that is not about servers asks for a reload") {
  const auto setup = zipkick();
  const auto before = without_servers(*render(setup));
  CHECK(before.find("20010") == std::string::npos);

  auto scaled = setup;
  scaled.backends[0].servers.push_back({"zipkick-frontend-3.r1", "10.1.0.9", 20010});
  scaled.backends[1].servers.clear();
  CHECK(without_servers(*render(scaled)) == before);

  const auto needs_reload = [&](const std::function<void(Setup&)>& change) {
    auto changed = setup;
    change(changed);
    return without_servers(*render(changed)) != before;
  };
  CHECK(needs_reload([](Setup& changed) { changed.listen = {80, 81}; }));
  CHECK(needs_reload([](Setup& changed) { changed.rules.erase(changed.rules.begin()); }));
  CHECK(needs_reload([](Setup& changed) { changed.private_address = "10.1.0.7"; }));
  CHECK(needs_reload([](Setup& changed) { changed.backends[0].health_path = "/"; }));
  CHECK(needs_reload([](Setup& changed) { changed.backends[0].health_interval_ms = 900; }));
  CHECK(needs_reload([](Setup& changed) { changed.backends[0].internal_port = 20009; }));
  CHECK(needs_reload([](Setup& changed) { changed.backends[0].health_timeout_ms = 900; }));
}

TEST_CASE("haproxy: older releases' paths follow from the servers, and ask for no reload") {
  const auto setup = zipkick();
  auto changing = setup;
  auto& backend = changing.backends[0];
  backend.older_paths = {{3, "/old?a=b&c=%20d,e"}, {12, "/older"}};
  const auto text = *render(changing);
  CHECK(servers_of(text) == changing.backends);
  CHECK(without_servers(text) == without_servers(*render(setup)));
  CHECK(mark_of(text) == mark_of(*render(setup)));
  CHECK(is_intact(text));
  // An edit of the servers on disk leaves what is asked for as the running HAProxy has it.
  CHECK(servers_of(with_servers(text, backend.name, {})).at(0).older_paths == backend.older_paths);
  backend.older_paths = {{3, "/old"}};
  backend.health_path = "/other";
  CHECK(without_servers(*render(changing)) != without_servers(*render(setup)));
  for (const auto* bad : {"/a'", "/a b", "/a)", "/a\"", "/a\n", "a", "/$a", "/a\\"}) {
    check_refused(
        [&](Setup& refused) {
          refused.backends[1].older_paths = {{1, bad}};
        },
        "health path");
  }
}

TEST_CASE("haproxy: a configuration is marked, and the mark tells all but servers apart") {
  const auto setup = zipkick();
  const auto mark = mark_of(*render(setup));
  CHECK(mark.starts_with("paas-"));
  CHECK(mark.size() == 21);
  auto scaled = setup;
  scaled.backends[0].servers.pop_back();
  CHECK(mark_of(*render(scaled)) == mark);
  auto changed = setup;
  changed.listen = {81};
  CHECK(mark_of(*render(changed)) != mark);
  CHECK(mark_of("global\n    maxconn 5\n") == "");
  CHECK(mark_in_info("Pid: 7\nnode: lb\ndescription: " + mark + "\nTasks: 5\n\n") == mark);
  CHECK(mark_in_info("Pid: 7\n") == "");
}

TEST_CASE(
    "haproxy: between two configurations the rules are the old ones, and nothing is missing") {
  const auto before = *render(zipkick());
  const auto after = *render(changed());
  const auto between = transition(before, after);
  check_golden("transition", between);
  CHECK(rule_targets_of(between) == rule_targets_of(before));
  CHECK(rule_targets_of(after) == std::set<std::string>{"api", "frontend"});
  CHECK(is_intact(between));
  // Once more changes nothing, so a run that was interrupted goes on.
  CHECK(transition(between, after) == between);
  CHECK(transition(before, before) == before);
  // Nor does it when something only goes: no reload is needed for that.
  auto less = changed();
  less.backends.erase(less.backends.begin() + 1);
  less.rules = {{"", "/", "frontend"}};
  CHECK(transition(before, *render(less)) == before);
}

TEST_CASE("haproxy: without public rules before there are none in between") {
  auto closed = zipkick();
  closed.listen.clear();
  closed.rules.clear();
  const auto between = transition(*render(closed), *render(zipkick()));
  CHECK(between.find("frontend public") == std::string::npos);
  CHECK(rule_targets_of(between).empty());
}

TEST_CASE("haproxy: servers of one backend are written without touching the rest") {
  const auto setup = zipkick();
  for (std::size_t i = 0; i < setup.backends.size(); ++i) {
    auto other = setup;
    other.backends[i].servers = {{"new.r1", "10.1.0.9", 20007}, {"six.r1", "fd00::5", 20000}};
    const auto& name = setup.backends[i].name;
    CHECK(with_servers(*render(setup), name, other.backends[i].servers) == *render(other));
    CHECK(with_servers(*render(other), name, setup.backends[i].servers) == *render(setup));
  }
  CHECK(with_servers(*render(setup), "stranger", {{"a", "10.0.0.1", 1}}) == *render(setup));
}

TEST_CASE("haproxy: a configuration that somebody edited is told from one of ours") {
  const auto ours = *render(zipkick());
  CHECK(is_intact(ours));
  CHECK(is_intact(with_servers(ours, "frontend", {})));
  auto edited = ours;
  edited.replace(edited.find("leastconn"), 9, "roundrobin");
  CHECK_FALSE(is_intact(edited));
  CHECK_FALSE(is_intact(""));
  CHECK_FALSE(is_intact("global\n    maxconn 5\n"));
}

TEST_CASE("haproxy: text that render did not make is read without harm") {
  for (const std::string text :
       {"", "\n\n", "backend\n    server\n", "    server a b\n",
        "backend a\n    server x 10.0.0.1\n",
        "backend a\n    server x 10.0.0.1:99999\n    default-server inter\n",
        "frontend internal.\n",
        "backend a\n    timeout check 99999999999999ms\n    http-check send uri\n"}) {
    CAPTURE(text);
    for (const auto& backend : servers_of(text)) CHECK(backend.servers.empty());
  }
  CHECK(servers_of("listen a\n    server x 10.0.0.1:80\n").empty());
}

}  // namespace
}  // namespace paas::haproxy
