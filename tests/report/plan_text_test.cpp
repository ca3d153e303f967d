// Plans and status as text and JSON, compared with what was accepted, and the lines of a run.
#include "report/plan_text.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/plan_json.hpp"
#include "report/progress.hpp"
#include "report/status.hpp"

namespace paas::report {
namespace {

void compare(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(PAASCTL_TEST_DATA) / "golden" / name;
  if (std::getenv("PAASCTL_ACCEPT") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    // What was only written down has not been checked against anything.
    FAIL_CHECK("accepted: read the difference, then run without PAASCTL_ACCEPT");
    return;
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream expected;
  expected << file.rdbuf();
  INFO(path.string());
  CHECK(text == expected.str());
}

plan::Step step(plan::StepKind kind, const std::string& server, const std::string& cause) {
  plan::Step result;
  result.kind = kind;
  result.id = plan::to_text(kind) + "/" + server;
  result.service = "web";
  result.server = server;
  result.cause = cause;
  return result;
}

plan::Plan some_plan() {
  plan::Plan plan;
  plan.lockfile.applied.emplace().name = "shop";
  plan.steps = {
      step(plan::StepKind::create_server, "shop-web-2", "web shall have 2 servers, has 1"),
      step(plan::StepKind::prepare_server, "shop-web-2", "it is new"),
      step(plan::StepKind::delete_server, "shop-web-1", "its droplet is \"archived\"")};
  plan.steps[0].detail = "s-1vcpu-1gb in nyc3";
  plan.steps[1].after = {"create_server/shop-web-2"};
  plan.warnings = {"shop-db-1 was not looked at: its droplet is off"};
  return plan;
}

TEST_CASE("report: a plan is a line a step with its cause, and a line that counts them") {
  compare("plan.txt", plan_text(some_plan(), Color::no));
  compare("plan.json", plan_json(some_plan()));
  CHECK(plan_text(some_plan(), Color::yes).find("\x1b[32m+\x1b[0m") != std::string::npos);
}

plan::Plan drifting_plan() {
  auto plan = some_plan();
  plan.steps[0].reason = plan::Reason::drift;
  plan.steps[0].cause = "replaces shop-web-1: its droplet was deleted";
  plan.steps[1].reason = plan::Reason::drift;
  auto left = step(plan::StepKind::retire_container, "shop-web-3", "an earlier run left it behind");
  left.reason = plan::Reason::unfinished;
  plan.steps.insert(plan.steps.begin() + 1, left);
  plan.losses = {
      {"shop-db", "db", "delete_volume/shop-db", "volume shop-db, with all data of db, for good"}};
  plan.cost.emplace();
  plan.cost->sizes = {{"s-1vcpu-1gb", 2, 3, 6.0}, {"s-2vcpu-2gb", 1, 0, 18.0}};
  plan.cost->unpriced = {10, 25, 0, 1, 2.41};
  return plan;
}

TEST_CASE("report: drift is shown apart from changes, and what is destroyed stands out") {
  compare("plan_drift.txt", plan_text(drifting_plan(), Color::no));
  compare("plan_drift.json", plan_json(drifting_plan()));
  CHECK(has_drift(drifting_plan()));
  CHECK_FALSE(has_drift(some_plan()));
}

TEST_CASE("report: a plan without steps says so, and still warns") {
  auto plan = some_plan();
  plan.steps.clear();
  CHECK(plan_text(plan, Color::no) ==
        "  ! shop-db-1 was not looked at: its droplet is off\n"
        "Nothing to do: everything is as the stack says.\n");
  const auto document = nlohmann::json::parse(plan_json(plan));
  CHECK(document.at("steps") == nlohmann::json::array());
  CHECK(document.at("summary").at("create") == 0);
  CHECK(document.at("unreached") == nlohmann::json::array());
  plan.unreached = {"shop-web-1", "shop-web-2"};
  CHECK(nothing_to_do(plan) ==
        "Nothing to do, as far as could be seen: shop-web-1, shop-web-2 could not be looked at.");
  CHECK(plan_text(plan, Color::no, Seen::cloud) ==
        "  ! shop-db-1 was not looked at: its droplet is off\n"
        "Nothing to do, as far as could be seen: what is on the servers was not looked at.\n");
}

struct Shown {
  stack::Stack stack;
  lockfile::Lockfile lockfile;
  observe::Observed observed;
};

void add_server(Shown& shown, const std::string& service, int number, const std::string& status) {
  const auto name = "shop-" + service + "-" + std::to_string(number);
  auto& server = shown.lockfile.servers[name];
  server.service = service;
  server.number = number;
  server.droplet = {name, status.empty() ? "" : std::to_string(100 + number)};
  server.public_address = "198.18.0." + std::to_string(number);
  server.private_address = "10.0.0." + std::to_string(number);
  server.size = "s-1vcpu-1gb";
  server.region = "nyc3";
  server.image = "debian-12-x64";
  server.created = "2026-01-31T08:15:00Z";
  server.release = 2;
  if (status.empty() || status == "gone") return;
  auto& seen = shown.observed.servers[name];
  seen.droplet.status = status;
  if (status != "active") return;
  seen.machine.emplace();
  if (service == "lb") {
    auto& haproxy = seen.machine->balancer.emplace();
    haproxy.running = true;
    haproxy.in_rotation["web"] = {"shop-web-2.r2"};
    return;
  }
  observe::Container container;
  container.service = service;
  container.release = 2;
  container.state = "running";
  seen.machine->containers = {container};
}

Shown some_stack() {
  Shown shown;
  shown.stack.name = "shop";
  shown.stack.region = "nyc3";
  shown.stack.cloud = stack::CloudKind::local;
  shown.stack.lb.emplace();
  for (const auto* name : {"web", "db"}) {
    auto& service = shown.stack.services.emplace_back();
    service.name = name;
    service.type = name == std::string("web") ? stack::ServiceType::web : stack::ServiceType::db;
    service.scale = {1, 12, 0, {}};
  }
  shown.lockfile.services["web"].count = 6;
  shown.lockfile.services["web"].releases = {
      {2, "web", "sha256:0123456789abcdef0123456789abcdef", "", ""}};
  shown.lockfile.services["db"].count = 1;
  shown.lockfile.lb = lockfile::LoadBalancer{"198.18.9.1", 1};
  shown.lockfile.volumes["shop-db"] = {{"shop-db", "v-1"}, "db", 10, "nyc3"};
  shown.observed.volumes["shop-db"].droplet_ids = {101};
  add_server(shown, "lb", 1, "active");
  add_server(shown, "web", 10, "active");
  add_server(shown, "web", 2, "active");
  add_server(shown, "web", 3, "off");
  add_server(shown, "web", 4, "gone");
  add_server(shown, "web", 5, "");
  add_server(shown, "web", 6, "active");
  auto& lost = shown.observed.servers.at("shop-web-6");
  lost.machine.reset();
  lost.unreachable = "connecting to 198.18.0.6 took longer than 10s";
  shown.lockfile.servers.at("shop-web-4").leaving = true;
  shown.lockfile.servers.at("shop-web-10").weight = 0;
  shown.lockfile.servers.at("shop-web-2").weight = 5;
  add_server(shown, "db", 1, "active");
  shown.observed.servers.at("shop-db-1").machine->containers.clear();
  return shown;
}

TEST_CASE("report: status shows services, volumes and each server as it is") {
  const auto shown = some_stack();
  const auto& [stack, lockfile, observed] = shown;
  compare("status.txt", status_text(stack, lockfile, observed, Detail::normal, Color::no));
  compare("status_wide.txt", status_text(stack, lockfile, observed, Detail::wide, Color::no));
  compare("status.json", status_json(stack, lockfile, observed));
  CHECK(servers_text(stack, lockfile, observed, Detail::names, Color::no) ==
        "shop-db-1\nshop-lb-1\nshop-web-2\nshop-web-3\nshop-web-4\nshop-web-5\nshop-web-6\n"
        "shop-web-10\n");
}

TEST_CASE("report: status says which servers are kept warm") {
  auto shown = some_stack();
  shown.stack.services.front().scale.warm = 1;
  shown.lockfile.servers.at("shop-web-10").warm = true;
  shown.observed.servers.at("shop-web-10").machine->containers.clear();
  const auto text =
      status_text(shown.stack, shown.lockfile, shown.observed, Detail::normal, Color::no);
  CHECK(text.find("6 (1..12), 1 warm") != std::string::npos);
  const auto row = text.find("shop-web-10  active, warm");
  REQUIRE(row != std::string::npos);
  const auto line = text.substr(row, text.find('\n', row) - row);
  // It is neither in rotation nor out of it.
  CHECK(line.find(" out ") == std::string::npos);
  CHECK(line.find(" none ") != std::string::npos);
  const auto json = servers_json(shown.stack, shown.lockfile, shown.observed);
  CHECK(json.find("\"warm\": true") != std::string::npos);
}

TEST_CASE("report: status shows how far a rotation has come") {
  auto shown = some_stack();
  CHECK(status_json(shown.stack, shown.lockfile, shown.observed)
            .find("\"password_rotation\": \"\"") != std::string::npos);
  shown.lockfile.services["db"].rotation =
      lockfile::PasswordRotation{lockfile::RotationState::pushed, Secret("next"), ""};
  const auto text =
      status_text(shown.stack, shown.lockfile, shown.observed, Detail::normal, Color::no);
  CHECK(text.find("\n! a new password of db is pushed: `paasctl up` goes on with it\n") !=
        std::string::npos);
  const auto json = status_json(shown.stack, shown.lockfile, shown.observed);
  CHECK(json.find("\"password_rotation\": \"pushed\"") != std::string::npos);
  CHECK(json.find("next\"") == std::string::npos);
}

TEST_CASE("report: status of a stack that is down says so") {
  auto shown = some_stack();
  shown.lockfile.servers.clear();
  const auto text =
      status_text(shown.stack, shown.lockfile, shown.observed, Detail::normal, Color::no);
  CHECK(text.ends_with("\nNo servers: the stack is down.\n"));
}

TEST_CASE("report: a release whose digest is short or missing does no harm") {
  auto shown = some_stack();
  shown.lockfile.services["web"].releases.back().image_digest.clear();
  const auto text =
      status_text(shown.stack, shown.lockfile, shown.observed, Detail::normal, Color::no);
  CHECK(text.find("r2") != std::string::npos);
}

class TextTerminal : public Terminal {
 public:
  bool input_is_terminal() override { return false; }
  bool output_is_terminal() override { return false; }
  bool error_is_terminal() override { return false; }
  int columns() override { return 80; }
  void write_output(std::string_view text) override { output += text; }
  void write_error(std::string_view text) override { error += text; }
  std::optional<std::string> read_line() override { return std::nullopt; }
  std::string output;
  std::string error;
};

std::string told(ProgressStyle style) {
  using reconcile::Event;
  using reconcile::EventKind;
  TextTerminal terminal;
  ProgressPrinter printer(terminal, style, Color::no);
  const auto created = some_plan().steps[0];
  const auto at = [](int ms) { return std::chrono::milliseconds(ms); };
  printer({EventKind::started, created, "", at(0), 0, 0, {}});
  printer({EventKind::stage, created, "active", at(2300), 0, 0, {}});
  printer({EventKind::progress, created, "", at(3000), 100, 1000, {}});
  printer({EventKind::progress, created, "", at(4000), 600, 1000, {}});
  printer({EventKind::progress, created, "", at(4100), 610, 1000, {}});
  printer({EventKind::output, created, "Step 1\nStep", at(4200), 0, 0, {}});
  printer({EventKind::output, created, " 2\n\n", at(4300), 0, 0, {}});
  printer({EventKind::done, created, "", at(125000), 0, 0, {}});
  printer({EventKind::failed, some_plan().steps[1], "", at(5000), 0, 0,
           make_error(ErrorKind::failed, "cloud-init failed")});
  printer({EventKind::skipped, some_plan().steps[2], "", at(0), 0, 0, {}});
  CHECK(terminal.output.empty());
  return terminal.error;
}

TEST_CASE("report: progress is a line a stage, an object a line, or nothing") {
  compare("progress_plain.txt", told(ProgressStyle::plain));
  compare("progress_tty.txt", told(ProgressStyle::tty));
  compare("progress.jsonl", told(ProgressStyle::json));
  CHECK(told(ProgressStyle::none).empty());
  std::istringstream lines(told(ProgressStyle::json));
  for (std::string line; std::getline(lines, line);) {
    CHECK(nlohmann::json::parse(line, nullptr, false).is_object());
  }
}

}  // namespace
}  // namespace paas::report
