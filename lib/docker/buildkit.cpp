// The command line of a build, and its output without secrets.
#include "docker/buildkit.hpp"

#include <fmt/format.h>

#include <deque>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace paas::docker {

namespace {

/// From this version of the client on BuildKit's part of it is a plugin.
constexpr int first_with_plugin = 23;

constexpr std::size_t lines_kept = 10;

Result<ProcessResult> asked(Processes& processes, std::vector<std::string> arguments) {
  ProcessRequest request;
  request.arguments = std::move(arguments);
  request.timeout = std::chrono::seconds(20);
  return processes.run(request);
}

/// The 28 of "Docker version 28.2.2, build e6534b4"; nothing for another program of that name.
std::optional<int> major_version(std::string_view text) {
  constexpr std::string_view begin = "Docker version ";
  if (!text.starts_with(begin)) return std::nullopt;
  text.remove_prefix(begin.size());
  const auto major = text::to_integer(text.substr(0, text.find('.')));
  return major ? std::optional(static_cast<int>(*major)) : std::nullopt;
}

/// A field of the comma-separated values that --secret takes.
std::string quoted_field(const std::string& field) {
  return '"' + text::replace_all(field, "\"", "\"\"") + '"';
}

std::vector<std::string> command_line(const BuildKitBuild& build) {
  const auto& options = build.options;
  std::vector<std::string> arguments = {"docker",    "build",  "--tag",
                                        options.tag, "--file", options.dockerfile};
  const auto add = [&](std::string name, std::string value) {
    arguments.push_back(std::move(name));
    arguments.push_back(std::move(value));
  };
  if (!options.target.empty()) add("--target", options.target);
  if (!options.platform.empty()) add("--platform", options.platform);
  if (options.cache == BuildCache::ignore) arguments.emplace_back("--no-cache");
  for (const auto& [name, value] : options.args) add("--build-arg", name + "=" + value);
  for (const auto& [name, value] : options.labels) add("--label", name + "=" + value);
  for (const auto& secret : build.secrets) {
    const auto source = secret.env.empty() ? "src=" + secret.file : "env=" + secret.env;
    add("--secret", fmt::format("id={},{}", secret.id, quoted_field(source)));
  }
  arguments.emplace_back("-");
  return arguments;
}

/// Cuts output into lines, takes secrets out of them and remembers the last.
class BuildLines {
 public:
  BuildLines(const std::vector<BuildSecret>& secrets, const OnText& on_line) : on_line_(on_line) {
    for (const auto& secret : secrets) {
      for (const auto& line : text::split(secret.value.reveal(), '\n')) {
        const auto hidden = text::trim(line);
        // A few characters are no secret, and would make words unreadable.
        if (hidden.size() >= 4) hidden_.emplace_back(hidden);
      }
    }
  }

  void feed(std::string_view part) {
    for (const char c : part) {
      if (c != '\n') {
        line_ += c;
      } else {
        pass();
      }
    }
  }

  void finish() { pass(); }

  /// What the last line says, with those before it in the hint.
  Error error(int exit_status) const {
    if (last_.empty()) {
      return make_error(ErrorKind::failed, fmt::format("docker build: status {}", exit_status));
    }
    std::string_view message = last_.back();
    if (message.starts_with("ERROR: ")) message.remove_prefix(7);
    return make_error(
        ErrorKind::failed, std::string(message),
        "the last lines of output:\n" + text::join({last_.begin(), last_.end()}, "\n"));
  }

 private:
  void pass() {
    auto line = std::exchange(line_, {});
    for (const auto& hidden : hidden_) line = text::replace_all(std::move(line), hidden, "***");
    if (text::trim(line).empty()) return;
    if (on_line_) on_line_(line);
    last_.push_back(std::move(line));
    if (last_.size() > lines_kept) last_.pop_front();
  }

  const OnText& on_line_;
  std::vector<std::string> hidden_;
  std::string line_;
  std::deque<std::string> last_;
};

}  // namespace

Status check_buildkit(Processes& processes, Environment& environment) {
  const auto none = [](std::string why) { return fail(ErrorKind::not_found, std::move(why)); };
  if (environment.get("DOCKER_BUILDKIT").value_or("") == "0") return none("DOCKER_BUILDKIT is 0");
  const auto version = asked(processes, {"docker", "--version"});
  if (!version && version.error().kind == ErrorKind::not_found) {
    return none("the program docker is not installed");
  }
  if (!version) return fail(version.error());
  const auto major = major_version(version->output);
  if (!major) return none("the program docker is not Docker's");
  if (*major < first_with_plugin) return {};
  PAAS_TRY(const auto plugin, asked(processes, {"docker", "buildx", "version"}));
  if (plugin.exit_status == 0) return {};
  return none(fmt::format("docker {} is installed without its plugin buildx", *major));
}

Status build_with_buildkit(Processes& processes, const std::string& socket,
                           const BuildKitBuild& build, const OnText& on_output) {
  BuildLines lines(build.secrets, on_output);
  ProcessRequest request;
  request.arguments = command_line(build);
  request.input_file = build.context_file;
  // The engine that was asked for and no builder beside it; and one image rather than an index of
  // it and of how it came to be, as servers are sent images.
  request.environment = {"DOCKER_HOST=unix://" + socket, "DOCKER_BUILDKIT=1",
                         "BUILDX_BUILDER=default", "BUILDX_NO_DEFAULT_ATTESTATIONS=1",
                         "BUILDKIT_PROGRESS=plain"};
  // BuildKit's client writes to both.
  request.on_output = [&](std::string_view part) { lines.feed(part); };
  request.on_error_output = request.on_output;
  PAAS_TRY(const auto result, processes.run(request));
  lines.finish();
  if (result.exit_status == 0) return {};
  return fail(lines.error(result.exit_status));
}

}  // namespace paas::docker
