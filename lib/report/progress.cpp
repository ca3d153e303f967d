// Prints a run's events to standard error.
#include "report/progress.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "report/style.hpp"

namespace paas::report {

using reconcile::Event;
using reconcile::EventKind;

namespace {

const char* name_of(EventKind kind) {
  switch (kind) {
    case EventKind::started:
      return "started";
    case EventKind::stage:
      return "stage";
    case EventKind::output:
      return "output";
    case EventKind::progress:
      return "progress";
    case EventKind::done:
      return "done";
    case EventKind::failed:
      return "failed";
    case EventKind::skipped:
      return "skipped";
    case EventKind::note:
      return "note";
  }
  return "";
}

const std::string& subject_of(const Event& event) {
  return event.step.server.empty() ? event.step.subject : event.step.server;
}

}  // namespace

void ProgressPrinter::operator()(const Event& event) {
  if (style_ == ProgressStyle::none) return;
  if (style_ == ProgressStyle::json) {
    print_json(event);
    return;
  }
  switch (event.kind) {
    case EventKind::started:
      break;
    case EventKind::stage:
      print_line(event, event.text, " ");
      break;
    case EventKind::output:
      print_output(event);
      break;
    case EventKind::progress:
      print_bytes(event);
      break;
    case EventKind::done:
      print_line(event, plan::describe(event.step), paint("✓", Tone::good, color_));
      break;
    case EventKind::failed:
      print_line(event, plan::describe(event.step), paint("✗", Tone::bad, color_));
      break;
    case EventKind::skipped:
      print_line(event, "skipped: " + plan::describe(event.step), paint("-", Tone::faint, color_));
      break;
    case EventKind::note:
      print_line(event, event.text, " ");
      break;
  }
}

void ProgressPrinter::print_line(const Event& event, const std::string& text,
                                 const std::string& mark) {
  std::string line = in_place_ ? "\r\x1b[K" : "";
  in_place_ = false;
  const auto elapsed =
      paint(fmt::format("{:>7}", text::duration(event.elapsed)), Tone::faint, color_);
  const bool is_of_step = !subject_of(event).empty();
  if (is_of_step && (event.kind == EventKind::stage || event.kind == EventKind::note)) {
    line += fmt::format("{} {}   {}: {}\n", elapsed, mark, subject_of(event), text);
  } else {
    line += fmt::format("{} {} {}\n", elapsed, mark, text);
  }
  terminal_.write_error(line);
}

void ProgressPrinter::print_output(const Event& event) {
  auto& pending = unfinished_[event.step.id];
  pending += event.text;
  while (true) {
    const auto end = pending.find('\n');
    if (end == std::string::npos) return;
    auto line = pending.substr(0, end);
    pending.erase(0, end + 1);
    if (text::trim(line).empty()) continue;
    const auto* const begin = in_place_ ? "\r\x1b[K" : "";
    in_place_ = false;
    terminal_.write_error(
        fmt::format("{}{}{}\n", begin,
                    paint(fmt::format("{:>9} | ", subject_of(event)), Tone::faint, color_), line));
  }
}

void ProgressPrinter::print_bytes(const Event& event) {
  if (event.bytes_total == 0) return;
  const auto text = fmt::format("{}: sent {} of {}", subject_of(event),
                                text::bytes(event.bytes_sent), text::bytes(event.bytes_total));
  if (style_ == ProgressStyle::tty) {
    terminal_.write_error(fmt::format("\r\x1b[K{:>7}     {}", text::duration(event.elapsed), text));
    in_place_ = true;
    return;
  }
  // In a log four lines tell as much as four hundred.
  const int quarter = static_cast<int>(event.bytes_sent * 4 / event.bytes_total);
  auto& told = quarters_[event.step.id];
  if (quarter <= told) return;
  told = quarter;
  print_line({EventKind::stage, event.step, {}, event.elapsed, 0, 0, {}},
             text.substr(text.find(": ") + 2), " ");
}

void ProgressPrinter::print_json(const Event& event) {
  nlohmann::ordered_json line;
  line["event"] = name_of(event.kind);
  if (!event.step.id.empty()) line["step"] = event.step.id;
  if (!subject_of(event).empty()) line["subject"] = subject_of(event);
  if (!event.text.empty()) line["text"] = event.text;
  line["elapsed_ms"] = event.elapsed.count();
  if (event.kind == EventKind::progress) {
    line["bytes_sent"] = event.bytes_sent;
    line["bytes_total"] = event.bytes_total;
  }
  if (event.error) line["error"] = describe(*event.error);
  terminal_.write_error(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace paas::report
