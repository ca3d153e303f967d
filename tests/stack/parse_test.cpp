// Parses whole stack files: every field of the design's example, caps, and what is not YAML.
#include "stack/parse.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "stack/design_example.hpp"

namespace paas::stack {
namespace {

using Variables = std::map<std::string, std::string>;

/// The problems as they are shown, one a line.
std::string problems_of(std::string_view yaml) {
  std::string result;
  for (const auto& problem : parse(yaml).problems) result += render(problem, "f") + "\n";
  return result;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

constexpr std::string_view small =
    "stack: a\nregion: nyc3\nssh: {from: [10.0.0.0/8]}\nimages: {i: {build: .}}\n"
    "services:\n  w:\n    type: web\n    image: i\n    port: 80\n";

Stack parse_small(const std::string& more) {
  auto result = parse(std::string(small) + more);
  for (const auto& problem : result.problems) FAIL_CHECK(render(problem, "f"));
  return result.stack;
}

TEST_CASE("stack: the example of the design is read field by field") {
  const auto parsed = parse(design_example);
  for (const auto& problem : parsed.problems) FAIL_CHECK(render(problem, "design"));
  const auto& stack = parsed.stack;
  CHECK(stack.name == "zipkick");
  CHECK(stack.cloud == CloudKind::local);
  CHECK(stack.region == "nyc3");
  CHECK(stack.size == "s-1vcpu-1gb");
  CHECK(stack.base_image == "debian-12-x64");
  CHECK(stack.ssh_from == std::vector<std::string>{"0.0.0.0/0"});
  REQUIRE(stack.images.size() == 3);
  CHECK(stack.images.at("web") == ImageSource{"./web", "", "", {}, "", {}, ""});
  CHECK(stack.images.at("postgres").context == "./postgres");
  CHECK(stack.images.at("redis").context == "./redis");
  REQUIRE(stack.services.size() == 4);

  Service frontend;
  frontend.name = "frontend";
  frontend.type = ServiceType::web;
  frontend.image = "web";
  frontend.port = 8000;
  frontend.scheme = "http";
  frontend.env = {{"MODE", "frontend"}};
  frontend.health.path = "/healthz";
  frontend.scale = {2, 10, 1, {{"requests_per_second.per_instance", 150.0}}};
  frontend.links = {{"backend", {}}};
  CHECK(stack.services[0] == frontend);

  Service backend;
  backend.name = "backend";
  backend.type = ServiceType::web;
  backend.image = "web";
  backend.port = 8000;
  backend.scheme = "http";
  backend.env = {{"MODE", "backend"}};
  backend.health.path = "/";
  backend.scale = {2, 4, 0, {}};
  backend.links = {{"db", {}}, {"cache", {{"REDIS_URL", "redis://:{password}@{host}:{port}/0"}}}};
  CHECK(stack.services[1] == backend);

  Service db;
  db.name = "db";
  db.type = ServiceType::db;
  db.image = "postgres";
  db.port = 5432;
  db.scheme = "postgresql";
  db.volume = Volume{10, "/var/lib/postgresql"};
  db.credentials = Credentials{"app",
                               "app",
                               {{"POSTGRES_USER", "{user}"},
                                {"POSTGRES_PASSWORD", "{password}"},
                                {"POSTGRES_DB", "{database}"}},
                               {"/usr/local/bin/set-password"}};
  db.allow = {"203.0.113.7/32"};
  CHECK(stack.services[2] == db);

  Service cache;
  cache.name = "cache";
  cache.type = ServiceType::cache;
  cache.image = "redis";
  cache.port = 6379;
  cache.scheme = "redis";
  cache.credentials =
      Credentials{"", "", {{"REDIS_PASSWORD", "{password}"}}, {"/usr/local/bin/set-password"}};
  CHECK(stack.services[3] == cache);

  REQUIRE(stack.lb);
  CHECK(stack.lb->listen == std::vector{80});
  CHECK(stack.lb->rules == std::vector<Rule>{{"api.example.com", "", "backend"},
                                             {"", "/api/", "backend"},
                                             {"", "", "frontend"}});
  CHECK(stack.lb->size.empty());
  CHECK(stack.lb->allow.empty());
}

TEST_CASE("stack: every other key is read as well") {
  const auto stack = parse_small(
      "    scheme: https\n    size: c-2\n    command: [serve, --port, 80]\n"
      "    env: {NUMBER: 1.50, YES: true, EMPTY: '', LINES: \"a\\nb\"}\n"
      "    health: {path: '/up?full=1', interval: 500ms, timeout: 1s, start_timeout: 1m30s}\n"
      "    scale: 3\n    outbound: [tcp:443, {protocol: udp, ports: 53, to: [10.0.0.2]}, icmp]\n"
      "    allow: ['2001:DB8::/32', 192.0.2.1]\n"
      "  job: {type: worker, image: i, outbound: []}\n"
      "lb: {listen: [80, 443], size: s-2vcpu-2gb, allow: [192.0.2.0/24]}\n"
      "size: g-2vcpu-8gb\nbase_image: ubuntu-24-04-x64\ncloud: local\n");
  REQUIRE(stack.services.size() == 2);
  const auto& web = stack.services[0];
  CHECK(web.scheme == "https");
  CHECK(web.size == "c-2");
  CHECK(web.command == std::vector<std::string>{"serve", "--port", "80"});
  CHECK(web.env ==
        Variables{{"NUMBER", "1.50"}, {"YES", "true"}, {"EMPTY", ""}, {"LINES", "a\nb"}});
  CHECK(web.health == Health{"/up?full=1", 500, 1000, 90});
  CHECK(web.scale == Scale{3, 3, 0, {}});
  REQUIRE(web.outbound);
  CHECK(*web.outbound == std::vector<Outbound>{{"tcp", "443", {"0.0.0.0/0", "::/0"}},
                                               {"udp", "53", {"10.0.0.2/32"}},
                                               {"icmp", "", {"0.0.0.0/0", "::/0"}}});
  CHECK(web.allow == std::vector<std::string>{"2001:db8::/32", "192.0.2.1/32"});
  const auto& job = stack.services[1];
  CHECK_FALSE(job.port);
  REQUIRE(job.outbound);
  CHECK(job.outbound->empty());
  CHECK(stack.lb == LoadBalancer{{80, 443}, {}, "s-2vcpu-2gb", {"192.0.2.0/24"}});
  CHECK(stack.size == "g-2vcpu-8gb");
  CHECK(stack.base_image == "ubuntu-24-04-x64");
  CHECK(stack.cloud == CloudKind::local);
}

TEST_CASE("stack: credentials have one user, or two that take turns") {
  const auto credentials = [](const std::string& user) {
    return *parse_small("  d: {type: db, image: i, port: 5432, credentials: {user: " + user +
                        ", set: [/bin/set], retire: [/bin/set, --only]}}\n")
                .services.at(1)
                .credentials;
  };
  const auto single = credentials("app");
  CHECK(single.user == "app");
  CHECK(single.other_user.empty());
  const auto pair = credentials("[app, app_b]");
  CHECK(pair.user == "app");
  CHECK(pair.other_user == "app_b");
  CHECK(pair.set == std::vector<std::string>{"/bin/set"});
  CHECK(pair.retire == std::vector<std::string>{"/bin/set", "--only"});
}

TEST_CASE("stack: an image is built with everything beside it, or pulled") {
  const auto parsed = parse(
      "stack: a\nregion: nyc3\nssh: {from: [10.0.0.0/8]}\n"
      "images:\n  i: {build: ., dockerfile: docker/web, target: prod, args: {V: 1, W: on},\n"
      "      platform: linux/amd64, secrets: {npm: {env: NPM_TOKEN}, pip.conf: {file: ./pip}}}\n"
      "  p: {pull: 'ghcr.io/acme/web:1.4'}\n"
      "services:\n  w: {type: web, image: i, port: 80}\n");
  CHECK(parsed.problems.empty());
  CHECK(parsed.stack.images.at("i") ==
        ImageSource{".",
                    "docker/web",
                    "prod",
                    Variables{{"V", "1"}, {"W", "on"}},
                    "linux/amd64",
                    {{"npm", {"NPM_TOKEN", ""}}, {"pip.conf", {"", "./pip"}}},
                    ""});
  CHECK(parsed.stack.images.at("p").pull == "ghcr.io/acme/web:1.4");
}

TEST_CASE("stack: what is left out has its default") {
  const auto stack = parse_small("");
  CHECK(stack.cloud == CloudKind::digitalocean);
  CHECK(stack.size == "s-1vcpu-1gb");
  CHECK(stack.base_image == "debian-12-x64");
  CHECK_FALSE(stack.lb);
  const auto& web = stack.services.at(0);
  CHECK(web.scheme == "http");
  CHECK(web.scale == Scale{1, 1, 0, {}});
  CHECK(web.health == Health{"/", 2000, 2000, 120});
  CHECK_FALSE(web.outbound);
  CHECK_FALSE(web.volume);
}

TEST_CASE("stack: anchors, aliases and merge keys are read as if they were written out") {
  const auto stack = parse_small(
      "    env: &common {A: 1, B: 2}\n"
      "  x: {type: worker, image: i, env: *common}\n"
      "  y: {type: worker, image: i, env: {<<: *common, B: 3}}\n");
  CHECK(stack.services.at(1).env == Variables{{"A", "1"}, {"B", "2"}});
  CHECK(stack.services.at(2).env == Variables{{"A", "1"}, {"B", "3"}});
}

TEST_CASE("stack: a file with CRLF line ends or a byte order mark reads alike") {
  const auto plain = parse(design_example);
  const auto carriage = parse(text::replace_all(std::string(design_example), "\n", "\r\n"));
  CHECK(carriage.problems.empty());
  CHECK(carriage.stack == plain.stack);
  const auto marked = parse("\xef\xbb\xbf" + std::string(design_example));
  CHECK(marked.problems.empty());
  CHECK(marked.stack == plain.stack);
}

TEST_CASE("stack: lines and columns are counted from one, in characters") {
  CHECK(problems_of("\xef\xbb\xbfnope: 1\r\nstäck: 2\r\n").find("f:1:1: nope: unknown key") !=
        std::string::npos);
  const auto problems = problems_of(std::string(small) + "    env: {ä: 1, ö: 2, A-B: 3}\r\n");
  CHECK(problems.find("f:10:14: services.w.env.ä:") != std::string::npos);
  CHECK(problems.find("f:10:20: services.w.env.ö:") != std::string::npos);
  CHECK(problems.find("f:10:28: services.w.env.A-B:") != std::string::npos);
}

TEST_CASE("stack: a file that is too large is refused before it is read") {
  const auto filler = std::string(small) + "#" + std::string(1024 * 1024, 'x') + "\n";
  CHECK(problems_of(filler).find("f: the file is larger than 1024 KiB") == 0);
  const auto fits = std::string(small) + "#" + std::string(1024 * 1024 - small.size() - 1, 'x');
  CHECK(problems_of(fits).empty());
}

TEST_CASE("stack: deep nesting is refused") {
  const auto deep = problems_of("a: " + repeated("[", 40) + repeated("]", 40));
  CHECK(deep.find("nested deeper than 32 levels") != std::string::npos);
  // Never closed, so the depth has to be seen on the way down.
  for (const char* opening : {"[", "{a: ", "- ", "? ", "a: [", "&a ["}) {
    CAPTURE(opening);
    CHECK_FALSE(problems_of(repeated(opening, 100000)).empty());
  }
  CHECK(problems_of(
            "a: &x [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\nb: [[[[[[[[[[[[[[[*x]]]]]]]]]]]]]]]")
            .find("nested deeper than 32 levels") != std::string::npos);
}

TEST_CASE("stack: an alias bomb is refused at the alias that goes too far") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 10; ++level) {
    const auto alias = fmt::format("*a{}", level - 1);
    bomb += fmt::format("a{0}: &a{0} [{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}]\n", level,
                        alias);
  }
  CHECK(
      problems_of(bomb).find("more than 50000 values; write fewer: values behind *aliases count") !=
      std::string::npos);
  CHECK(problems_of("a: &a 1\nb: [" + repeated("*a, ", 101) + "]").find("more than 100 aliases") !=
        std::string::npos);
  CHECK(problems_of("a: [" + repeated("1, ", 50001) + "]").find("more than 50000 values") !=
        std::string::npos);
  CHECK(problems_of("a: &a [*a]").find("an alias stands inside the value that it names") !=
        std::string::npos);
  CHECK(problems_of("a: *b").find("anchor") != std::string::npos);
}

TEST_CASE("stack: a key may stand once") {
  CHECK(problems_of(std::string(small) + "    port: 81\n") ==
        "f:10:5: services.w.port: the key stands here a second time; the first one is in line 9; "
        "keep one\n");
  CHECK(problems_of("{\"stack\": a, \"stack\": b}").find("f:1:14: stack: the key stands here") !=
        std::string::npos);
}

TEST_CASE("stack: an empty file says so") {
  const std::string expected = "f: the file is empty; paas.yaml(5) has an example\n";
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "~\n", "\xef\xbb\xbf"}) {
    CAPTURE(text);
    CHECK(problems_of(text) == expected);
  }
}

TEST_CASE("stack: a second document is refused") {
  CHECK(problems_of("a: 1\n---\nb: 2\n").find("more than one YAML document") != std::string::npos);
  CHECK(problems_of("---\n" + std::string(small)).empty());
  CHECK(problems_of("---\n" + std::string(small) + "...\n").empty());
}

TEST_CASE("stack: text that is no YAML is refused at its place") {
  CHECK(problems_of("services:\n\tweb: 1\n") ==
        "f:2:5: not valid YAML: illegal map value; the line is indented with a tab; YAML is "
        "indented with spaces\n");
  CHECK(problems_of("stack: \"open\n") ==
        "f:1:8: stack: a quote opens here and is never closed; close it\n");
  CHECK(problems_of("stack: 'open\n").find("is never closed") != std::string::npos);
  CHECK(problems_of("stack: [a, b\n").find("a bracket or brace is not closed") !=
        std::string::npos);
  CHECK(problems_of("a: @x\n").find("f:1:4: not valid YAML: unknown token") == 0);
  CHECK(problems_of("? [x]\n: 1\n").find("a key must be written as text") != std::string::npos);
  CHECK(problems_of("stack: !!binary aGk=\n").find("YAML tags") != std::string::npos);
  CHECK(problems_of("just text").find("f:1:1: must be a map") == 0);
  CHECK(problems_of("[a, list]").find("f:1:1: must be a map") == 0);
}

TEST_CASE("stack: bytes that are no text are refused at their place") {
  CHECK(problems_of(std::string("stack: a\0b\n", 11)) ==
        "f:1:9: a control character stands here; remove it\n");
  CHECK(problems_of("a: 1\nb: \x04").find("f:2:4: a control character") == 0);
  for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\x80"}) {
    CHECK(problems_of("a: 1\nb: x" + std::string(bad)) ==
          "f:2:5: not UTF-8 text; save the file as UTF-8\n");
  }
  CHECK(problems_of("\xff\xfes").find("not UTF-8") != std::string::npos);
}

TEST_CASE("stack: a file cut short at any byte is told what is wrong, and nothing breaks") {
  std::size_t complete = 0;
  for (std::size_t length = 0; length < design_example.size(); ++length) {
    const auto parsed = parse(design_example.substr(0, length));
    if (parsed.problems.empty()) ++complete;
    for (const auto& problem : parsed.problems) REQUIRE_FALSE(problem.message.empty());
  }
  // Without its last lines the file still is a whole one: without rules, or without some.
  CHECK(complete > 0);
  CHECK(complete < 150);
}

TEST_CASE("stack: any byte may be changed, and nothing breaks") {
  static constexpr char bytes[] = "\0\t\n\r \"'#&*-:?[]{}|>%@`!,<~x0\x80\xff\x04";
  constexpr std::string_view changes(bytes, sizeof bytes - 1);
  std::string text(design_example);
  int refused = 0;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    const char kept = text[at];
    text[at] = changes[at % changes.size()];
    const auto parsed = parse(text);
    refused += parsed.problems.empty() ? 0 : 1;
    for (const auto& problem : parsed.problems) REQUIRE_FALSE(problem.message.empty());
    text[at] = kept;
  }
  // A change inside a comment or a value may leave a stack file that is right.
  CHECK(refused > 100);
}

TEST_CASE("stack: parse_or_fail shows every problem on a line of its own") {
  const auto result = parse_or_fail("stack: A\nregion: 7\nservces: {}\n", "paas.yaml");
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::invalid);
  const auto lines = text::lines(result.error().message);
  CHECK(lines.size() >= 3);
  CHECK(std::all_of(lines.begin(), lines.end(),
                    [](const std::string& line) { return line.rfind("paas.yaml:", 0) == 0; }));
  CHECK(parse_or_fail(design_example, "paas.yaml")->name == "zipkick");
}

TEST_CASE("stack: what a key or value contains cannot change the terminal") {
  const auto problems =
      problems_of("\"\\e[31mred\\n\": 1\nstack: \"\\a" + std::string(500, 'x') + "\"\n");
  CHECK(problems.find('\x1b') == std::string::npos);
  CHECK(problems.find('\a') == std::string::npos);
  for (const auto& line : text::lines(problems)) CHECK(line.size() < 400);
}

}  // namespace
}  // namespace paas::stack
