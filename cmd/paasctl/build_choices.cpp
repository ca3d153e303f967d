// The options --platform and --no-cache.
#include "build_choices.hpp"

#include <fmt/format.h>

#include "stack/values.hpp"

namespace paas::cli {

void add_build_options(CLI::App& command, BuildChoices& choices) {
  command
      .add_option("--platform", choices.platform,
                  "Build for this platform, such as linux/amd64, instead of the stack file's")
      ->type_name("OS/ARCH");
  command.add_flag("--no-cache", choices.no_cache,
                   "Do every step of a build anew, instead of taking what it can from the cache");
}

Status choose_build(Session& session, const BuildChoices& choices) {
  if (choices.no_cache) session.images().ignore_cache();
  if (choices.platform.empty()) return {};
  const auto platform = stack::parse_platform(choices.platform);
  if (!platform) {
    return fail(ErrorKind::usage, "--platform: " + platform.error().message, platform.error().hint);
  }
  if (!stack::can_run(session.stack.cloud, *platform)) {
    return fail(ErrorKind::usage,
                fmt::format("--platform: DigitalOcean has no servers of {}", *platform),
                "its droplets are linux/amd64");
  }
  for (auto& [name, image] : session.stack.images) {
    if (!image.context.empty()) image.platform = *platform;
  }
  return {};
}

std::string words_of(const BuildChoices& choices) {
  return choices.platform.empty() ? "" : " --platform " + choices.platform;
}

}  // namespace paas::cli
