// What the events of a run come to, as stages with their times.
#include "report/timings.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

namespace paas::report {
namespace {

using reconcile::EventKind;
using std::chrono::milliseconds;

plan::Step timed_step(plan::StepKind kind, const std::string& server) {
  plan::Step step;
  step.kind = kind;
  step.id = plan::to_text(kind) + "/" + server;
  step.service = "web";
  step.server = server;
  return step;
}

void note_at(Timings& timings, int moment_ms, EventKind kind, const plan::Step& step,
             const std::string& text = "") {
  reconcile::Event event;
  event.kind = kind;
  event.step = step;
  event.text = text;
  timings.note(event, milliseconds(moment_ms));
}

std::string stages_of(const SubjectTimings& subject) {
  std::string text;
  for (const auto& stage : subject.stages) {
    text += fmt::format("{} {} {}+{}\n", stage.step, stage.name, stage.start.count(),
                        stage.duration.count());
  }
  return text;
}

TEST_CASE("report: a stage lasts from the one before to its end, the last to its step's end") {
  Timings timings(milliseconds(1000));
  const auto create = timed_step(plan::StepKind::create_server, "shop-web-1");
  const auto prepare = timed_step(plan::StepKind::prepare_server, "shop-web-1");
  note_at(timings, 1300, EventKind::started, create);
  note_at(timings, 1500, EventKind::stage, create, "accepted");
  note_at(timings, 3000, EventKind::stage, create, "active");
  note_at(timings, 3010, EventKind::done, create);
  note_at(timings, 3020, EventKind::started, prepare);
  note_at(timings, 4000, EventKind::stage, prepare, "SSH");
  note_at(timings, 4500, EventKind::done, prepare);
  REQUIRE(timings.servers().size() == 1);
  CHECK(stages_of(timings.servers().front()) ==
        "create_server accepted 300+200\n"
        "create_server active 500+1510\n"
        "prepare_server SSH 2020+1480\n");
  CHECK(timings.total() == milliseconds(3500));
}

TEST_CASE("report: steps that tell no stage, fail or are skipped") {
  Timings timings(milliseconds(0));
  const auto tag = timed_step(plan::StepKind::tag_server, "shop-web-1");
  const auto start = timed_step(plan::StepKind::start_container, "shop-web-1");
  const auto enter = timed_step(plan::StepKind::add_to_rotation, "shop-web-1");
  note_at(timings, 100, EventKind::started, tag);
  note_at(timings, 150, EventKind::done, tag);
  note_at(timings, 200, EventKind::started, start);
  note_at(timings, 300, EventKind::stage, start, "container");
  note_at(timings, 900, EventKind::failed, start);
  note_at(timings, 950, EventKind::skipped, enter);
  REQUIRE(timings.servers().size() == 1);
  CHECK(stages_of(timings.servers().front()) ==
        "tag_server done 100+50\n"
        "start_container container 200+100\n"
        "start_container failed 300+600\n");
  CHECK(timings.total() == milliseconds(900));
}

TEST_CASE("report: what servers reach together counts for each of them, in the order of numbers") {
  Timings timings(milliseconds(0));
  auto let_in = timed_step(plan::StepKind::let_in, "");
  let_in.batch = {"shop-web-10", "shop-web-9"};
  note_at(timings, 100, EventKind::started, let_in);
  note_at(timings, 140, EventKind::stage, let_in, "in rotation");
  note_at(timings, 150, EventKind::done, let_in);
  const auto servers = timings.servers();
  REQUIRE(servers.size() == 2);
  CHECK(servers[0].name == "shop-web-9");
  CHECK(servers[1].name == "shop-web-10");
  CHECK(stages_of(servers[1]) == "let_in in rotation 100+50\n");
  CHECK(timings.rest().empty());
}

/// A server and an image.
Timings some_timings() {
  Timings timings(milliseconds(0));
  const auto prepare = timed_step(plan::StepKind::prepare_server, "shop-web-1");
  auto build = timed_step(plan::StepKind::build_image, "");
  build.subject = "web";
  note_at(timings, 5, EventKind::started, build);
  note_at(timings, 10, EventKind::started, prepare);
  note_at(timings, 1234, EventKind::stage, prepare, "SSH");
  note_at(timings, 1240, EventKind::done, prepare);
  note_at(timings, 12345, EventKind::done, build);
  return timings;
}

TEST_CASE("report: timings as a table") {
  CHECK(timings_text(some_timings()) ==
        "SERVER      STEP            STAGE  START  TOOK\n"
        "shop-web-1  prepare server  SSH    0.01s  1.23s\n"
        "web         build image     done   0.01s  12.34s\n"
        "All of it took 12.35s.\n");
  CHECK(timings_text(Timings(milliseconds(0))) == "");
}

void collect_members(const nlohmann::json& value, const std::string& path,
                     std::set<std::string>& paths) {
  for (const auto& [key, member] : value.items()) {
    const auto place = path + "." + key;
    paths.insert(place);
    if (!member.is_array()) continue;
    for (const auto& item : member) collect_members(item, place + "[]", paths);
  }
}

TEST_CASE("report: the documented members of timings are those that are printed") {
  const auto document = nlohmann::json::parse(timings_json(some_timings()));
  CHECK(document.at("seconds") == 12.345);
  CHECK(document.at("servers").at(0).at("stages").at(0).at("start") == 0.01);
  std::set<std::string> printed = {"timings"};
  collect_members(document, "timings", printed);
  std::set<std::string> documented;
  for (const auto& [path, meaning] : timings_members()) CHECK(documented.insert(path).second);
  CHECK(printed == documented);
}

}  // namespace
}  // namespace paas::report
