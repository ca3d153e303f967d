// The events of a run as lines: what is being done, its stages and their times.
#pragma once

#include <map>
#include <string>

#include "ports/terminal.hpp"
#include "reconcile/event.hpp"
#include "report/plan_text.hpp"

namespace paas::report {

enum class ProgressStyle {
  plain,  ///< A line a stage.
  tty,    ///< The same, and bytes sent in place.
  json,   ///< An object a line.
  none,
};

class ProgressPrinter {
 public:
  ProgressPrinter(Terminal& terminal, ProgressStyle style, Color color)
      : terminal_(terminal), style_(style), color_(color) {}

  void operator()(const reconcile::Event& event);

 private:
  void print_line(const reconcile::Event& event, const std::string& text, const std::string& mark);
  void print_json(const reconcile::Event& event);
  void print_bytes(const reconcile::Event& event);
  void print_output(const reconcile::Event& event);

  Terminal& terminal_;
  ProgressStyle style_;
  Color color_;
  bool in_place_ = false;                          ///< The cursor stands behind a line of bytes.
  std::map<std::string, int> quarters_;            ///< By step: how much of its bytes was told.
  std::map<std::string, std::string> unfinished_;  ///< By step: output without a line's end yet.
};

}  // namespace paas::report
