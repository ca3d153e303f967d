// Looks for each build context and its Dockerfile, and at the engine's address.
#include "contexts.hpp"

#include <filesystem>

#include "base/text.hpp"
#include "docker/build_context.hpp"
#include "docker/host.hpp"
#include "stack/parse.hpp"
#include "stack/place.hpp"

namespace paas::cli {

Status check_contexts(Program& program, const Session& session,
                      const std::map<std::string, stack::ImageSource>& images) {
  std::vector<std::string> problems;
  const auto text = program.ports.files.read(session.stack_path);
  for (const auto& [name, source] : images) {
    if (source.context.empty()) continue;
    const auto folder =
        (std::filesystem::path(session.folder) / source.context).lexically_normal().string();
    const auto entries = docker::list_context(
        program.ports.files, folder, source.dockerfile.empty() ? "Dockerfile" : source.dockerfile);
    if (entries) continue;
    stack::Problem problem;
    const auto place = text ? stack::place_of(*text, {"images", name, "build"}) : std::nullopt;
    if (place) {
      problem.line = place->line;
      problem.column = place->column;
    }
    problem.key_path = "images." + name + ".build";
    problem.message = describe(entries.error());
    problem.hint = entries.error().hint;
    problems.push_back(stack::render(problem, session.stack_path));
  }
  if (problems.empty()) return {};
  return fail(ErrorKind::invalid, text::join(problems, "\n"));
}

Status check_engine(Program& program) {
  PAAS_CHECK(docker::engine_socket(program.ports.environment));
  return {};
}

}  // namespace paas::cli
