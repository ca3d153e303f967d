// The JSON of a stack: every default written out, and read back to an equal value.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <random>

#include "stack/design_example.hpp"
#include "stack/parse.hpp"

namespace paas::stack {
namespace {

void check_round_trip(const Stack& stack) {
  const auto text = to_json(stack);
  const auto again = parse(text);
  for (const auto& problem : again.problems) FAIL_CHECK(render(problem, "json"));
  CHECK(again.stack == stack);
  CHECK(to_json(again.stack) == text);
}

TEST_CASE("stack: the example of the design goes through JSON unchanged") {
  const auto stack = parse(design_example).stack;
  check_round_trip(stack);
  const auto json = nlohmann::ordered_json::parse(to_json(stack));
  CHECK(json.begin().key() == "stack");
  CHECK(json["base_image"] == "debian-12-x64");
  CHECK(json["services"].begin().key() == "frontend");
  CHECK(json["services"]["backend"]["health"]["interval"] == "2000ms");
  CHECK(json["services"]["frontend"]["scale"]["target"]["requests_per_second.per_instance"] == 150);
}

TEST_CASE("stack: a stack with everything in it goes through JSON unchanged") {
  const auto parsed = parse(R"(
stack: everything
cloud: digitalocean
region: fra1
size: c-2
base_image: ubuntu-24-04-x64
ssh: {from: [203.0.113.0/24, "2001:db8::/32"]}
images:
  built: {build: ../app, dockerfile: docker/web, target: prod, args: {A: "", B: "x: y # z"},
          platform: linux/amd64, secrets: {token: {env: TOKEN}, a-b_c.d: {file: "/run/x, y"}}}
  pulled: {pull: "ghcr.io/acme/web@sha256:00ff"}
machine_images: {keep: 3}
timeouts: {pre_release: 90m}
registries:
  ghcr.io: {username: acme, password: {env: GHCR_TOKEN}}
  "127.0.0.1:5000": {username: "a b", password: {file: ./password}}
services:
  web:
    type: web
    image: built
    port: 80
    scheme: https
    size: g-2vcpu-8gb
    command: [serve, "", "--a b", 'c"d']
    env: {QUOTES: "\"'\\", LINES: "a\nb\n", TAB: "\t", EMPTY: "", NUMBER: 010, NULL_WORD: "null", UNICODE: "äöü 🚀 \u2028\x85"}
    health: {path: "/a?b", interval: 1500ms, timeout: 10ms, start_timeout: 1h}
    scale: {min: 2, max: 3, warm: 1, target: {requests_per_second.per_instance: 0.1, cpu: 1e-7}}
    links: [{to: db, env: {X: "{{{url}}}"}}, cache]
    allow: [192.0.2.1, "::1"]
    outbound: [tcp:443, udp:all, icmp, {protocol: tcp, ports: 1-2, to: [10.0.0.0/8]}]
  job: {type: worker, image: pulled, outbound: []}
  db:
    type: db
    image: pulled
    port: 5432
    volume: {size: 1TiB, mount: /data}
    credentials: {}
  turns: {type: db, image: pulled, port: 2, credentials: {user: [u, v], set: [a], retire: [a, --only]}}
  cache: {type: cache, image: pulled, port: 1, credentials: {user: u, database: d, env: {P: "{user}"}, set: [a, b]}}
lb: {listen: [80, 8080], tls: {listen: [443, 8443], redirect: false, certificates: [{certificate: ./a.pem, key: /b.key}, {certificate: c, key: c, hosts: ["*.Example.com", b]}], acme: {email: a.b+c@example.com, hosts: [X.example.com], directory: "https://[::1]:14000/dir"}, hsts: {max_age: 365d, subdomains: true, preload: true}}, rules: [{host: A.example.com, path: /x, to: web}, {to: web}], size: c-2, allow: [192.0.2.1]}
)");
  for (const auto& problem : parsed.problems) FAIL_CHECK(render(problem, "f"));
  check_round_trip(parsed.stack);
}

TEST_CASE("stack: any text that a variable may have goes through JSON unchanged") {
  auto stack = parse(design_example).stack;
  auto& env = stack.services[0].env;
  std::mt19937 random(20);
  const std::vector<std::string> pieces = {
      "a",           " ", "\n", "\t", "\"", "'", "\\", ":", "#",   "{",   "}",   "[",
      "]",           ",", "&",  "*",  "!",  "|", ">",  "%", "@",   "`",   "-",   "?",
      "~",           "0", "$",  "/",  "ä",  "🚀", "<",  "=", "\\n", "---", "...", "\xef\xbb\xbf",
      "\xe2\x80\xa8"};
  for (int i = 0; i < 300; ++i) {
    std::string value;
    const auto length = random() % 12;
    for (std::size_t j = 0; j < length; ++j) value += pieces[random() % pieces.size()];
    env[fmt::format("V{}", i)] = value;
  }
  check_round_trip(stack);
}

}  // namespace
}  // namespace paas::stack
