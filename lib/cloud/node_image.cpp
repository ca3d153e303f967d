// Runs the embedded recipe and passes its progress on.
#include "cloud/node_image.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/text.hpp"
#include "cloud/node_image_recipe.hpp"

namespace paas::cloud {
namespace {

std::string_view name_of(NodeFlavour flavour) {
  return flavour == NodeFlavour::bare ? "bare" : "full";
}

/// Cuts what arrives in parts into lines, and keeps the last few for an error's message.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}

  void feed(std::string_view part) {
    pending_ += part;
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      take(pending_.substr(0, end));
      pending_.erase(0, end + 1);
    }
  }

  std::string last() {
    if (!pending_.empty()) take(std::exchange(pending_, {}));
    return text::join(kept_, "\n");
  }

 private:
  void take(std::string line) {
    constexpr std::size_t kept_lines = 12;
    if (on_line_) on_line_(line);
    if (kept_.size() == kept_lines) kept_.erase(kept_.begin());
    kept_.push_back(std::move(line));
  }

  const std::function<void(std::string_view)>& on_line_;
  std::string pending_;
  std::vector<std::string> kept_;
};

}  // namespace

std::string node_image_name(NodeFlavour flavour) {
  return fmt::format("paasctl-node:{}-{}", name_of(flavour), node_image_recipe_hash);
}

Result<std::string> ensure_node_image(docker::Engine& engine, Processes& processes, Files& files,
                                      const NodeImageOptions& options) {
  const std::string name = node_image_name(options.flavour);
  const auto existing = engine.inspect_image(name);
  if (existing) return name;
  if (existing.error().kind != ErrorKind::not_found) return fail(existing.error());

  // A file and not standard input: the recipe runs itself again in namespaces of its own.
  const std::string recipe =
      fmt::format("{}/node_image-{}.sh", options.folder, node_image_recipe_hash);
  PAAS_CHECK(files.make_directories(options.folder, 0700));
  PAAS_CHECK(files.write_atomically(recipe, node_image_recipe, 0700));
  Lines lines(options.on_progress);
  ProcessRequest request;
  request.arguments = {"bash", recipe, std::string(name_of(options.flavour)), name};
  request.environment = {"DOCKER_HOST=" + options.docker_host};
  request.on_error_output = [&](std::string_view part) { lines.feed(part); };
  const auto ran = processes.run(request);
  const std::string last_words = lines.last();
  const Status removed = files.remove(recipe);
  if (!ran) return fail(ran.error(), "making the machine image " + name);
  if (ran->exit_status != 0) {
    return fail(ErrorKind::failed,
                fmt::format("making the machine image {} failed (status {}):\n{}", name,
                            ran->exit_status, last_words));
  }
  PAAS_CHECK(removed);
  const auto made = engine.inspect_image(name);
  if (!made) return fail(made.error(), "looking at the machine image that was just made");
  return name;
}

}  // namespace paas::cloud
