// How long each stage of each server took, from the events of a run.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "reconcile/event.hpp"
#include "report/plan_json.hpp"

namespace paas::report {

/// A part of a step, from the end of the one before, or the step's begin, to its own end. The last
/// one of a step lasts until the step is done.
struct Stage {
  std::string step;  ///< Its kind: "create_server".
  std::string name;  ///< "active"; of a step that tells of no stage "done", of one's end "failed".
  std::chrono::milliseconds start{0};  ///< Since the command began.
  std::chrono::milliseconds duration{0};
};

/// What was done to one server, or to an image, a firewall and so on.
struct SubjectTimings {
  std::string name;
  std::string service;        ///< That it is for, or "lb"; may be empty.
  std::vector<Stage> stages;  ///< In the order of their starts.
};

/// Collects events, of one run or of several one after another.
class Timings {
 public:
  /// `began` is the clock's monotonic moment from which starts are counted.
  explicit Timings(std::chrono::milliseconds began) : began_(began) {}

  /// `moment`, of the same clock, is when the event happened.
  void note(const reconcile::Event& event, std::chrono::milliseconds moment);

  /// Whether no step has ended yet.
  bool empty() const { return servers_.empty() && rest_.empty(); }
  /// Until the last event.
  std::chrono::milliseconds total() const { return last_; }
  /// By service, then number.
  std::vector<SubjectTimings> servers() const;
  /// What steps without a server were done to, by name.
  std::vector<SubjectTimings> rest() const;

 private:
  struct Open {
    plan::Step step;
    std::vector<Stage> stages;
    std::chrono::milliseconds mark{0};  ///< Where the next stage starts.
  };
  void close(const Open& open);

  std::chrono::milliseconds began_;
  std::chrono::milliseconds last_{0};
  std::map<std::string, Open> open_;  ///< Steps under way, by identifier.
  std::map<std::string, SubjectTimings> servers_;
  std::map<std::string, SubjectTimings> rest_;
};

/// A table of the stages, a line each, and the sum; empty when there are none.
std::string timings_text(const Timings& timings);
/// An object; timings_members() says what its members mean.
std::string timings_json(const Timings& timings);
/// In the document of a command, whose member "timings" the object is.
const std::vector<Member>& timings_members();

}  // namespace paas::report
