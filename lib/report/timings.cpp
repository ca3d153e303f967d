// Adds up the stages of a run, and renders them for people and for programs.
#include "report/timings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "report/style.hpp"

namespace paas::report {

namespace {

using Json = nlohmann::ordered_json;
using reconcile::EventKind;

void add_stages(std::map<std::string, SubjectTimings>& subjects, const std::string& name,
                const std::string& service, const std::vector<Stage>& stages) {
  auto& subject = subjects[name];
  subject.name = name;
  subject.service = service;
  subject.stages.insert(subject.stages.end(), stages.begin(), stages.end());
}

std::vector<SubjectTimings> in_order(const std::map<std::string, SubjectTimings>& subjects) {
  std::vector<SubjectTimings> list;
  for (const auto& [name, subject] : subjects) list.push_back(subject);
  // Of names that differ only in their numbers the shorter one has the smaller number.
  std::sort(list.begin(), list.end(), [](const SubjectTimings& left, const SubjectTimings& right) {
    const auto left_size = left.name.size();
    const auto right_size = right.name.size();
    return std::tie(left.service, left_size, left.name) <
           std::tie(right.service, right_size, right.name);
  });
  for (auto& subject : list) {
    std::stable_sort(
        subject.stages.begin(), subject.stages.end(),
        [](const Stage& left, const Stage& right) { return left.start < right.start; });
  }
  return list;
}

std::string seconds_text(std::chrono::milliseconds value) {
  return fmt::format("{:.2f}s", static_cast<double>(value.count()) / 1000);
}

double seconds(std::chrono::milliseconds value) {
  return static_cast<double>(value.count()) / 1000;
}

std::string words_of(std::string kind) {
  std::replace(kind.begin(), kind.end(), '_', ' ');
  return kind;
}

Json json_of(const std::vector<SubjectTimings>& subjects) {
  auto list = Json::array();
  for (const auto& subject : subjects) {
    auto stages = Json::array();
    for (const auto& stage : subject.stages) {
      stages.push_back({{"step", stage.step},
                        {"stage", stage.name},
                        {"start", seconds(stage.start)},
                        {"seconds", seconds(stage.duration)}});
    }
    list.push_back(
        {{"name", subject.name}, {"service", subject.service}, {"stages", std::move(stages)}});
  }
  return list;
}

}  // namespace

void Timings::note(const reconcile::Event& event, std::chrono::milliseconds moment) {
  if (event.step.id.empty() || event.kind == EventKind::skipped) return;
  const auto at = moment - began_;
  last_ = std::max(last_, at);
  if (event.kind == EventKind::started) {
    open_[event.step.id] = {event.step, {}, at};
    return;
  }
  const auto found = open_.find(event.step.id);
  if (found == open_.end()) return;
  auto& open = found->second;
  const auto add = [&](const std::string& name) {
    open.stages.push_back({plan::to_text(open.step.kind), name, open.mark, at - open.mark});
    open.mark = at;
  };
  if (event.kind == EventKind::stage) add(event.text);
  if (event.kind == EventKind::failed) add("failed");
  if (event.kind == EventKind::done) {
    if (open.stages.empty()) {
      add("done");
    } else {
      open.stages.back().duration += at - open.mark;
    }
  }
  if (event.kind != EventKind::done && event.kind != EventKind::failed) return;
  close(open);
  open_.erase(found);
}

void Timings::close(const Open& open) {
  const auto& step = open.step;
  for (const auto& server : step.batch) add_stages(servers_, server, step.service, open.stages);
  if (!step.batch.empty()) return;
  if (!step.server.empty()) {
    add_stages(servers_, step.server, step.service, open.stages);
  } else {
    const auto& name = step.subject.empty() ? step.id : step.subject;
    add_stages(rest_, name, step.service, open.stages);
  }
}

std::vector<SubjectTimings> Timings::servers() const { return in_order(servers_); }

std::vector<SubjectTimings> Timings::rest() const { return in_order(rest_); }

std::string timings_text(const Timings& timings) {
  if (timings.empty()) return "";
  std::vector<std::vector<std::string>> cells = {{"SERVER", "STEP", "STAGE", "START", "TOOK"}};
  const auto add = [&](const std::vector<SubjectTimings>& subjects) {
    for (const auto& subject : subjects) {
      for (const auto& stage : subject.stages) {
        cells.push_back({subject.name, words_of(stage.step), stage.name, seconds_text(stage.start),
                         seconds_text(stage.duration)});
      }
    }
  };
  add(timings.servers());
  add(timings.rest());
  return table(cells) + fmt::format("All of it took {}.\n", seconds_text(timings.total()));
}

std::string timings_json(const Timings& timings) {
  const Json document = {{"seconds", seconds(timings.total())},
                         {"servers", json_of(timings.servers())},
                         {"rest", json_of(timings.rest())}};
  return document.dump(2);
}

const std::vector<Member>& timings_members() {
  static const std::vector<Member> members = {
      {"timings", "With --timings: how long each stage took, in seconds"},
      {"timings.seconds", "From the command's begin to the end of its last step"},
      {"timings.servers", "Servers that something was done to, by service, then number"},
      {"timings.servers[].name", "Server"},
      {"timings.servers[].service", "Its service, or lb"},
      {"timings.servers[].stages", "In the order of their starts; steps may run side by side"},
      {"timings.servers[].stages[].step", "Kind of the step, as in a plan"},
      {"timings.servers[].stages[].stage",
       "What was reached at its end, as in the progress, such as active, SSH, cloud-init, host "
       "key, sent, container, healthy and in rotation; done or failed of a step that tells no "
       "more"},
      {"timings.servers[].stages[].start", "When it began, since the command's begin"},
      {"timings.servers[].stages[].seconds", "How long it took"},
      {"timings.rest", "The same of what is no server: images, firewalls, volumes and so on"},
      {"timings.rest[].name", "Image, firewall, volume, network, key or address"},
      {"timings.rest[].service", "Service that it is for, or lb; may be empty"},
      {"timings.rest[].stages", "As those of servers"},
      {"timings.rest[].stages[].step", "Kind of the step"},
      {"timings.rest[].stages[].stage", "What was reached at its end"},
      {"timings.rest[].stages[].start", "When it began, since the command's begin"},
      {"timings.rest[].stages[].seconds", "How long it took"},
  };
  return members;
}

}  // namespace paas::report
