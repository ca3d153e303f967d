// Makes a run's folder under a guard of its own, and removes those whose guard nobody holds.
#include "scratch.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace paas::cli {

namespace {

constexpr std::string_view prefix = "paasctl-";
constexpr std::size_t random_bytes = 6;
/// What is left of a control socket's path (ssh/connections.cpp) for the folder around ours.
constexpr std::size_t base_limit_bytes = 48;

std::string guard_of(const std::string& folder) { return folder + "/scratch.guard"; }

bool is_scratch(const std::string& name) {
  return name.size() == prefix.size() + 2 * random_bytes && name.starts_with(prefix) &&
         name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string::npos;
}

/// Folders of other users cannot be opened, and stay.
void sweep(Files& files, const std::string& base) {
  const auto names = files.list(base);
  if (!names) return;
  for (const auto& name : *names) {
    if (!is_scratch(name)) continue;
    const auto folder = base + "/" + name;
    const auto info = files.info(folder);
    if (!info || !*info || (*info)->kind != FileKind::directory || (*info)->mode != 0700) continue;
    const auto guard = files.try_guard(guard_of(folder), "sweeping");
    if (guard && *guard) (void)files.remove_tree(folder);
  }
}

}  // namespace

std::string runtime_base(Environment& environment) {
  const auto runtime = environment.get("XDG_RUNTIME_DIR");
  if (runtime && runtime->starts_with('/') && runtime->size() <= base_limit_bytes) return *runtime;
  return "/tmp";
}

Result<std::unique_ptr<Scratch>> Scratch::make(Ports& ports, const std::string& base) {
  sweep(ports.files, base);
  // Another run may sweep the new folder before its guard is taken, or while it is made: then
  // another one is made.
  Status made;
  for (int attempt = 0; attempt < 8; ++attempt) {
    const auto folder =
        fmt::format("{}/{}{}", base, prefix, text::hex(ports.random.bytes(random_bytes)));
    made = ports.files.make_directories(folder, 0700);
    if (!made) continue;
    auto guard = ports.files.try_guard(guard_of(folder), "in use");
    // A guard that was taken as it was swept is one of a file that is gone.
    const auto there = ports.files.info(guard_of(folder));
    if (guard && *guard && there && *there) {
      return std::unique_ptr<Scratch>(new Scratch(ports.files, folder, std::move(*guard)));
    }
  }
  if (!made) return fail(made.error());
  return fail(ErrorKind::failed, "no private folder could be made below " + base);
}

Scratch::~Scratch() { (void)files_.remove_tree(folder_); }

}  // namespace paas::cli
