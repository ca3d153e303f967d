// Reads the maintenance page beside the stack file.
#include "maintenance_page.hpp"

#include <filesystem>

#include "stack/parse.hpp"
#include "stack/place.hpp"
#include "stack/values.hpp"

namespace paas::cli {

namespace {

Error at_the_key(Program& program, const std::string& stack_path, std::string message,
                 std::string hint) {
  stack::Problem problem{0, 0, "lb.maintenance.page", std::move(message), std::move(hint)};
  const auto text = program.ports.files.read(stack_path);
  const auto place = text ? stack::place_of(*text, {"lb", "maintenance", "page"}) : std::nullopt;
  if (place) {
    problem.line = place->line;
    problem.column = place->column;
  }
  return make_error(ErrorKind::invalid, stack::render(problem, stack_path));
}

}  // namespace

Status read_maintenance_page(Program& program, const std::string& stack_path, stack::Stack& stack) {
  if (!stack.lb || stack.lb->traffic.maintenance.file.empty()) return {};
  auto& page = stack.lb->traffic.maintenance;
  const auto path = std::filesystem::path(stack_path).parent_path() / page.file;
  auto text = program.ports.files.read(path.lexically_normal().string());
  if (!text) {
    return fail(at_the_key(program, stack_path, describe(text.error()), text.error().hint));
  }
  auto html = stack::parse_page(*text);
  if (!html) {
    return fail(at_the_key(program, stack_path, page.file + ": " + html.error().message,
                           html.error().hint));
  }
  page = {"", std::move(*html)};
  return {};
}

}  // namespace paas::cli
