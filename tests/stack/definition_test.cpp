// What a release keeps of a stack, and how it comes back.
#include "stack/definition.hpp"

#include <doctest/doctest.h>

#include "stack/parse.hpp"

namespace paas::stack {
namespace {

Stack parsed(const std::string& yaml) {
  auto stack = parse_or_fail(yaml, "paas.yaml");
  REQUIRE_MESSAGE(stack, (stack ? "" : stack.error().message));
  return std::move(*stack);
}

const std::string head = R"(
stack: shop
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
)";

const std::string before = head + R"(
images: {web: {build: ./web}, postgres: {build: ./postgres}}
services:
  web: {type: web, image: web, port: 8000, env: {MODE: old}, links: [db], scale: {min: 1, max: 3}}
  api: {type: web, image: web, port: 8000}
  db: {type: db, image: postgres, port: 5432, credentials: {user: app, database: app, env: {P: "{password}"}}}
lb:
  listen: [80]
  rules:
    - {path: /api/, to: api}
    - {path: /shop/, to: web}
    - {path: /help/, to: api}
    - {to: web}
)";

const std::string after = head + R"(
images: {web: {build: ./web, target: slim}, postgres: {build: ./postgres}}
services:
  web: {type: web, image: web, port: 9000, env: {MODE: new}, size: s-2vcpu-2gb, scale: {min: 2, max: 5}}
  api: {type: web, image: web, port: 8000}
  db: {type: db, image: postgres, port: 5432, credentials: {user: app, database: app, env: {P: "{password}"}}}
lb:
  listen: [80]
  rules:
    - {path: /api/, to: api}
    - {path: /store/, to: web}
    - {path: /help/, to: api}
    - {path: /faq/, to: api}
    - {to: api}
)";

Definition web_of(const Stack& stack) { return definition_of(stack, *find_service(stack, "web")); }

TEST_CASE("stack: a definition brings back what a release is made of, and leaves the rest") {
  const auto now = parsed(after);
  const auto restored = with_definition(now, web_of(parsed(before)));
  REQUIRE_MESSAGE(restored, (restored ? "" : restored.error().message));
  const auto& web = *find_service(*restored, "web");
  CHECK(web.env.at("MODE") == "old");
  CHECK(web.port == 8000);
  CHECK(web.links.size() == 1);
  CHECK(web.size == "s-2vcpu-2gb");
  CHECK(web.scale.max == 5);
  // api keeps the image of that name that it has now.
  CHECK(find_service(*restored, "api")->image == "web");
  CHECK(restored->images.at("web").target == "slim");
  CHECK(restored->images.at(web.image).target.empty());
}

TEST_CASE("stack: rules of a release return to where they stood") {
  const auto restored = with_definition(parsed(after), web_of(parsed(before)));
  REQUIRE(restored);
  std::vector<std::string> rules;
  for (const auto& rule : restored->lb->rules) rules.push_back(rule.path + " " + rule.to);
  CHECK(rules ==
        std::vector<std::string>{"/api/ api", "/shop/ web", "/help/ api", "/faq/ api", " web"});
}

TEST_CASE("stack: a definition of now changes nothing") {
  for (const auto& yaml : {before, after}) {
    const auto stack = parsed(yaml);
    for (const auto& service : stack.services) {
      const auto same = with_definition(stack, definition_of(stack, service));
      REQUIRE_MESSAGE(same, (same ? "" : same.error().message));
      CHECK(*same == stack);
    }
  }
}

TEST_CASE("stack: a definition that does not fit any more is refused") {
  auto gone = web_of(parsed(before));
  gone.service.links.front().to = "cache";
  const auto refused = with_definition(parsed(after), gone);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::invalid);
  CHECK(refused.error().message.find("cache") != std::string::npos);
  gone.service.name = "shop";
  CHECK(with_definition(parsed(after), gone).error().kind == ErrorKind::not_found);
}

TEST_CASE("stack: definitions are read back as they were written") {
  for (const auto& yaml : {before, after}) {
    const auto stack = parsed(yaml);
    for (const auto& service : stack.services) {
      const auto definition = definition_of(stack, service);
      const auto read = parse_definition(to_json(definition));
      REQUIRE_MESSAGE(read, (read ? "" : read.error().message));
      CHECK(*read == definition);
    }
  }
  for (const auto* text : {"", "[]", "{}", R"({"name": "web"})", "\x01"}) {
    const auto read = parse_definition(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace paas::stack
