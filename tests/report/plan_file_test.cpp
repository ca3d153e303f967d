// A plan that was written to a file is applied as it was shown, or refused with what has moved.
#include "report/plan_file.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "stack/parse.hpp"

namespace paas::report {
namespace {

constexpr auto yaml = R"(stack: shop
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {web: {build: ./web}}
services:
  web: {type: web, image: web, port: 8000, env: {API_TOKEN: tell-nobody}, scale: {min: 2, max: 3}}
)";

plan::Step shown_step(plan::StepKind kind, const std::string& server, const std::string& cause) {
  plan::Step result;
  result.kind = kind;
  result.id = plan::to_text(kind) + "/" + server;
  result.server = server;
  result.cause = cause;
  return result;
}

/// What was planned, and what came out.
struct Planned {
  plan::Input input;
  plan::Plan plan;
  Origin origin{"{\"serial\": 7}", lockfile::Key(std::string(32, 'k'))};
};

/// A server with a container, the firewall before it, its volume and the public address.
observe::Observed some_observed() {
  observe::Observed observed;
  auto& server = observed.servers["shop-web-1"];
  server.droplet.id = 101;
  server.droplet.status = "active";
  server.droplet.tags = {"paas:shop", "paas:shop:web"};
  auto& machine = server.machine.emplace();
  machine.containers.push_back({"shop-web-1",
                                "web",
                                1,
                                0,
                                "running",
                                "sha256:1",
                                "port=8000",
                                {{"API_TOKEN", "tell-nobody"}}});
  machine.balancer.emplace().known["web"] = {"shop-web-1.r1"};
  auto& firewall = observed.firewalls["shop-web"];
  firewall.spec.name = "shop-web";
  firewall.spec.inbound = {{"tcp", "22", {"0.0.0.0/0"}, {}, {}}};
  firewall.spec.tags = {"paas:shop:web"};
  observed.volumes["shop-web"] = {"v1", "shop-web", 10, "nyc3", {101}, {"paas:shop"}};
  observed.vpc = digitalocean::Vpc{"vpc-1", "shop", "nyc3", "10.10.0.0/20", false};
  observed.reserved_ips = {{"203.0.113.1", "nyc3", 101, false}};
  return observed;
}

Planned some_planned() {
  Planned planned;
  auto parsed = stack::parse(yaml);
  REQUIRE(parsed.problems.empty());
  planned.input.stack = parsed.stack;
  planned.input.lockfile.lineage = "0123456789abcdef0123456789abcdef";
  planned.input.lockfile.serial = 7;
  planned.input.lockfile.cloud_url = "https://api.digitalocean.com";
  planned.input.lockfile.cloud_account = "team-1";
  planned.input.lockfile.services["web"].password = Secret("tell-nobody-either");
  planned.input.images["web"] = {"paas-shop-web:1", "sha256:1", false, ""};
  planned.plan.lockfile = planned.input.lockfile;
  planned.plan.lockfile.applied = planned.input.stack;
  planned.plan.steps = {
      shown_step(plan::StepKind::create_server, "shop-web-2", "web shall have 2 servers, has 1"),
      shown_step(plan::StepKind::start_container, "shop-web-2", "it is new")};
  planned.plan.steps[0].detail = "s-1vcpu-1gb in nyc3";
  planned.plan.steps[1].after = {"create_server/shop-web-2"};
  planned.plan.unreached = {"shop-web-1"};
  planned.input.observed = some_observed();
  return planned;
}

PlanFile written(const Planned& planned) {
  const auto file =
      decode_plan_file(encode_plan_file(planned.input, planned.plan, planned.origin), "stack.plan");
  REQUIRE_MESSAGE(file, (file ? "" : describe(file.error())));
  return *file;
}

/// Why a plan is refused now that was written before; empty when it is not.
std::string refusal(const PlanFile& file, const Planned& now) {
  auto status = check_basis(file, now.input.stack, now.input.lockfile, now.origin);
  if (status) status = check_same(file, now.input, now.plan, now.origin);
  if (status) return "";
  CHECK(status.error().kind == ErrorKind::failed);
  CHECK(status.error().hint.find("paasctl plan --out") != std::string::npos);
  return status.error().message;
}

TEST_CASE("report: a written plan holds while nothing moves") {
  const auto planned = some_planned();
  CHECK(refusal(written(planned), planned) == "");
}

TEST_CASE("report: a written plan holds no secret, and the plan as it is printed") {
  const auto planned = some_planned();
  const auto text = encode_plan_file(planned.input, planned.plan, planned.origin);
  CHECK(text.find("tell-nobody") == std::string::npos);
  const auto json = nlohmann::json::parse(text);
  CHECK(json.at("format") == "paasctl plan");
  CHECK(json.at("format_version") == 2);
  CHECK(json.at("plan").at("format_version") == 1);
  CHECK(json.at("lockfile").at("serial") == 7);
  CHECK(json.at("plan").at("steps").size() == 2);
  CHECK(is_plan_file(text));
  CHECK_FALSE(is_plan_file(yaml));
  CHECK_FALSE(is_plan_file("{}"));
}

TEST_CASE("report: a plan is refused when the lockfile moved") {
  const auto file = written(some_planned());
  auto now = some_planned();
  SUBCASE("another run wrote it") {
    now.input.lockfile.serial = 9;
    CHECK(refusal(file, now) ==
          "the plan does not hold any more: the lockfile's serial was 7 when it was made and is 9 "
          "now: another run was here");
  }
  SUBCASE("an older one was put back") {
    now.input.lockfile.serial = 6;
    CHECK(refusal(file, now).find("an older lockfile was put back") != std::string::npos);
  }
  SUBCASE("another one took its place") {
    now.input.lockfile.lineage = "fedcba9876543210fedcba9876543210";
    CHECK(refusal(file, now).find("lineage 0123456789abcdef") != std::string::npos);
  }
  SUBCASE("it says something else with the same serial") {
    now.origin.lockfile_text = "{\"serial\":7}";
    CHECK(refusal(file, now) ==
          "the plan does not hold any more: the lockfile says something else now, with serial 7 as "
          "before");
  }
  SUBCASE("it is not here") {
    now.input.lockfile.serial = 0;
    CHECK(refusal(file, now).find("here is none") != std::string::npos);
  }
}

TEST_CASE("report: a plan of a stack that was never up holds until it is up") {
  auto planned = some_planned();
  planned.input.lockfile.serial = 0;
  planned.origin = {};
  const auto file = written(planned);
  // What was never stored has another lineage each time.
  planned.input.lockfile.lineage = "fedcba9876543210fedcba9876543210";
  CHECK(refusal(file, planned) == "");
  planned.input.lockfile.serial = 3;
  CHECK(refusal(file, planned).find("there was no lockfile when it was made") != std::string::npos);
}

TEST_CASE("report: a plan is refused when the stack, its images or the cloud are others") {
  const auto file = written(some_planned());
  auto now = some_planned();
  SUBCASE("the stack file changed, where no step tells") {
    now.input.stack.services[0].env["API_TOKEN"] = "other";
    CHECK(refusal(file, now) ==
          "the plan does not hold any more: the stack file says something else now");
  }
  SUBCASE("the stack is another one") {
    now.input.stack.name = "shop-eu";
    CHECK(refusal(file, now).find("it is for stack shop, and this is stack shop-eu") !=
          std::string::npos);
  }
  SUBCASE("a build context changed") {
    now.input.images["web"].reference = "paas-shop-web:2";
    CHECK(refusal(file, now).find("what these images are made from changed: web") !=
          std::string::npos);
  }
  SUBCASE("the account is another one") {
    now.input.lockfile.cloud_account = "team-2";
    CHECK(refusal(file, now).find("another cloud or account") != std::string::npos);
  }
}

TEST_CASE("report: a plan is refused when the world moved, with the steps that differ") {
  const auto file = written(some_planned());
  auto now = some_planned();
  SUBCASE("a step more") {
    now.plan.steps.push_back(
        shown_step(plan::StepKind::power_on_server, "shop-web-1", "it is powered off"));
    CHECK(refusal(file, now) ==
          "the plan does not hold any more: the world has moved since it was made\n"
          "  would be done, was not shown: power on server shop-web-1: it is powered off");
  }
  SUBCASE("a step less") {
    now.plan.steps.pop_back();
    CHECK(refusal(file, now) ==
          "the plan does not hold any more: the world has moved since it was made\n"
          "  was shown, is not so now: start container on shop-web-2: it is new");
  }
  SUBCASE("the same step for another cause") {
    now.plan.steps[0].cause = "replaces shop-web-1: its droplet was deleted";
    CHECK(refusal(file, now).find("would be done, was not shown: create server shop-web-2 "
                                  "(s-1vcpu-1gb in nyc3): replaces shop-web-1") !=
          std::string::npos);
  }
  SUBCASE("the same step for another kind of cause") {
    now.plan.steps[0].reason = plan::Reason::drift;
    CHECK(refusal(file, now) != "");
  }
  SUBCASE("the same step in another place") {
    now.plan.steps[1].after.clear();
    CHECK(refusal(file, now) != "");
  }
  SUBCASE("a server that answers again") {
    now.plan.unreached.clear();
    CHECK(refusal(file, now).find("servers that could not be looked at: shop-web-1; now none") !=
          std::string::npos);
  }
  SUBCASE("many steps") {
    for (int i = 10; i < 60; ++i) {
      now.plan.steps.push_back(shown_step(plan::StepKind::power_on_server,
                                          "shop-web-" + std::to_string(i), "it is powered off"));
    }
    const auto message = refusal(file, now);
    CHECK(message.find("and 30 more") != std::string::npos);
  }
}

constexpr auto world_moved =
    "the plan does not hold any more: the world has moved since it was made\n  ";

TEST_CASE(
    "report: a plan is refused when what it was made from is not as it was, whatever its steps") {
  const auto file = written(some_planned());
  auto now = some_planned();
  auto& observed = now.input.observed;
  auto& container = observed.servers.at("shop-web-1").machine->containers.front();
  std::string part;
  SUBCASE("a rule was added by hand") {
    observed.firewalls.at("shop-web").spec.inbound.push_back({"tcp", "25", {"0.0.0.0/0"}, {}, {}});
    part = "firewall shop-web is not as it was";
  }
  SUBCASE("a firewall was made") {
    observed.firewalls["shop-old"].spec.tags = {"paas:shop:old"};
    part = "firewall shop-old was not there";
  }
  SUBCASE("a variable has another value") {
    container.environment["API_TOKEN"] = "tell-somebody";
    part = "server shop-web-1 is not as it was";
  }
  SUBCASE("a container ended") {
    container.state = "exited";
    part = "server shop-web-1 is not as it was";
  }
  SUBCASE("HAProxy knows somebody else") {
    observed.servers.at("shop-web-1").machine->balancer->known["web"].insert("shop-web-9.r1");
    part = "server shop-web-1 is not as it was";
  }
  SUBCASE("a tag was taken away") {
    observed.servers.at("shop-web-1").droplet.tags.pop_back();
    part = "server shop-web-1 is not as it was";
  }
  SUBCASE("there is another droplet of a server's name") {
    observed.namesakes.push_back(observed.servers.at("shop-web-1").droplet);
    observed.namesakes.back().id = 102;
    part = "droplet shop-web-1 (102) was not there";
    observed.namesakes.back().name = "shop-web-1";
  }
  SUBCASE("a volume grew") {
    observed.volumes.at("shop-web").size_gigabytes = 20;
    part = "volume shop-web is not as it was";
  }
  SUBCASE("the public address was moved") {
    now.input.observed.reserved_ips.front().droplet_id = 0;
    part = "reserved IP 203.0.113.1 is gone";
  }
  SUBCASE("the network is gone") {
    observed.vpc.reset();
    part = "network shop is gone";
  }
  SUBCASE("a machine image was saved") {
    observed.snapshots.push_back({"7", "shop.web.image-1", "", {"nyc3"}, "droplet", 25, 1.5, {}});
    part = "machine image shop.web.image-1 was not there";
  }
  CHECK(refusal(file, now) == world_moved + part);
}

TEST_CASE("report: what changes by itself does not move a plan") {
  const auto file = written(some_planned());
  auto now = some_planned();
  auto& observed = now.input.observed;
  auto& server = observed.servers.at("shop-web-1");
  server.droplet.locked = true;
  server.droplet.created_at = "2026-01-31T08:15:00Z";
  std::swap(server.droplet.tags.front(), server.droplet.tags.back());
  server.machine->image_digests.insert("sha256:other");
  server.machine->balancer->in_rotation["web"] = {"shop-web-1.r1"};
  observed.firewalls.at("shop-web").status = "waiting";
  observed.firewalls.at("shop-web").pending_droplets = {101};
  observed.reserved_ips.front().locked = true;
  observed.servers["shop-web-builder-12345678"].droplet.id = 103;
  CHECK(refusal(file, now) == "");
}

TEST_CASE("report: what is another stack's does not move a plan") {
  const auto file = written(some_planned());
  auto now = some_planned();
  now.input.observed.firewalls["shop-eu-db"].spec.tags = {"paas:shop-eu:db"};
  now.input.observed.volumes["shop-eu-db"].tags = {"paas:shop-eu"};
  now.input.observed.reserved_ips.push_back({"203.0.113.2", "nyc3", 555, false});
  CHECK(refusal(file, now) == "");
}

TEST_CASE("report: a plan's digests need the lineage's key") {
  auto planned = some_planned();
  const auto file = written(planned);
  planned.origin.key = lockfile::Key(std::string(32, 'x'));
  const auto other = written(planned);
  CHECK(file.basis.stack != other.basis.stack);
  CHECK(file.basis.lockfile != other.basis.lockfile);
  REQUIRE(file.basis.observed.size() == other.basis.observed.size());
  for (const auto& [part, digest] : file.basis.observed) {
    CHECK(digest.size() == 64);
    CHECK(digest != other.basis.observed.at(part));
  }
}

TEST_CASE("report: why an image is built does not move a plan to another machine") {
  auto planned = some_planned();
  planned.plan.steps = {shown_step(plan::StepKind::build_image, "web", "its build context changed"),
                        shown_step(plan::StepKind::start_container, "shop-web-1",
                                   "image web changes: its build context changed")};
  const auto file = written(planned);
  planned.plan.steps[0].cause = "it was never built here";
  planned.plan.steps[1].cause = "image web changes: it was never built here";
  CHECK(refusal(file, planned) == "");
  planned.plan.steps[1].cause = "its container is exited";
  CHECK(refusal(file, planned) != "");
}

std::string problem(const std::string& text) {
  const auto file = decode_plan_file(text, "stack.plan");
  REQUIRE_FALSE(file);
  CHECK(file.error().kind == ErrorKind::invalid);
  CHECK(file.error().hint != "");
  return file.error().message;
}

TEST_CASE("report: a file that is no plan is refused with its place") {
  CHECK(problem(yaml) == "stack.plan:1:1: this is not a plan: it is not JSON, or was cut short");
  CHECK(problem("") == "stack.plan:1:1: this is not a plan: it is not JSON, or was cut short");
  CHECK(problem("[]") == "stack.plan: /format: this is not a plan");
  CHECK(problem("{\"version\": 1}") == "stack.plan: /format: this is not a plan");
  const auto planned = some_planned();
  const auto text = encode_plan_file(planned.input, planned.plan, planned.origin);
  const auto cut = problem(text.substr(0, text.find("\"serial\"")));
  CHECK(cut.starts_with("stack.plan:7:"));
  auto json = nlohmann::json::parse(text);
  json["lockfile"].erase("serial");
  CHECK(problem(json.dump()) ==
        "stack.plan: /lockfile/serial is missing, or not what a plan has there");
  json["lockfile"]["serial"] = 7;
  json["plan"]["steps"][1]["after"] = "create_server/shop-web-2";
  CHECK(problem(json.dump()) ==
        "stack.plan: /plan/steps/1/after is missing, or not what a plan has there");
  json["format_version"] = 1;
  CHECK(problem(json.dump()) == "stack.plan: /format_version is 1, and this paasctl reads 2");
}

TEST_CASE("plan file: numbers and nesting beyond what a plan has are errors with their place") {
  const auto planned = some_planned();
  const auto text = encode_plan_file(planned.input, planned.plan, planned.origin);
  const auto error_with = [&](const std::string& from, const std::string& to) {
    auto changed = text;
    const auto at = changed.find(from);
    REQUIRE(at != std::string::npos);
    changed.replace(at, from.size(), to);
    const auto file = decode_plan_file(changed, "stack.plan");
    REQUIRE_FALSE(file);
    CHECK(file.error().kind == ErrorKind::invalid);
    return file.error().message;
  };
  for (const auto* number : {"18446744073709551615", "9223372036854775808", "-1", "7.5", "1e30"}) {
    CAPTURE(number);
    CHECK(error_with("\"serial\": 7", std::string("\"serial\": ") + number)
              .find("stack.plan: /lockfile/serial is missing, or not what") == 0);
    CHECK(error_with("\"format_version\": 2", std::string("\"format_version\": ") + number)
              .find("stack.plan: /format_version") == 0);
  }
  CHECK(error_with("\"serial\": 7", "\"serial\": 1e999").find("a number that is too large") !=
        std::string::npos);
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  CHECK(error_with("\"steps\": [", "\"steps\": [" + deep + ", ").find("nested too deep") !=
        std::string::npos);
  CHECK_FALSE(is_plan_file("{\"format\": " + deep + "}"));
}

}  // namespace
}  // namespace paas::report
