// Puts pinned releases and deployed images into a stack.
#include "plan/wanted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "stack/definition.hpp"

namespace paas::plan {

namespace {

std::map<std::string, int> kept_releases(const lockfile::Lockfile& lockfile, const Kept& kept) {
  auto releases = kept.releases;
  for (const auto& [name, service] : lockfile.services) {
    if (service.pinned != 0 && !kept.unchanged.contains(name)) {
      releases.try_emplace(name, service.pinned);
    }
  }
  return releases;
}

Held held_at(const lockfile::Release& release) {
  Held held;
  held.release = release.number;
  held.image.reference = release.image_name;
  held.image.digest = release.image_digest;
  held.image.pulled = release.definition && !release.definition->image.pull.empty();
  return held;
}

std::string numbers_of(const lockfile::Service& service) {
  std::vector<std::string> numbers;
  for (const auto& release : service.releases) {
    if (release.definition && !release.failed) numbers.push_back(std::to_string(release.number));
  }
  return numbers.empty() ? "none" : fmt::format("{}", fmt::join(numbers, ", "));
}

}  // namespace

int containers_of(const lockfile::Release& release) {
  return release.containers_of == 0 ? release.number : release.containers_of;
}

const lockfile::Release* find_release(const lockfile::Lockfile& lockfile,
                                      const std::string& service, int number) {
  const auto entry = lockfile.services.find(service);
  if (entry == lockfile.services.end()) return nullptr;
  const auto& releases = entry->second.releases;
  const auto found =
      std::find_if(releases.begin(), releases.end(),
                   [&](const lockfile::Release& release) { return release.number == number; });
  return found == releases.end() ? nullptr : &*found;
}

const lockfile::Release* current_release(const lockfile::Lockfile& lockfile,
                                         const std::string& service) {
  const auto entry = lockfile.services.find(service);
  if (entry == lockfile.services.end()) return nullptr;
  if (const auto* pinned = find_release(lockfile, service, entry->second.pinned)) return pinned;
  const auto& releases = entry->second.releases;
  const auto found = std::find_if(releases.rbegin(), releases.rend(),
                                  [](const lockfile::Release& release) { return !release.failed; });
  return found == releases.rend() ? nullptr : &*found;
}

const lockfile::Release* release_before(const lockfile::Lockfile& lockfile,
                                        const std::string& service) {
  const auto* current = current_release(lockfile, service);
  const lockfile::Release* before = nullptr;
  if (current == nullptr) return before;
  for (const auto& release : lockfile.services.at(service).releases) {
    if (release.number < current->number && !release.failed) before = &release;
  }
  return before;
}

std::set<std::string> all_but(const lockfile::Lockfile& lockfile,
                              const std::vector<std::string>& services) {
  std::set<std::string> others;
  for (const auto& [name, service] : lockfile.services) {
    if (std::find(services.begin(), services.end(), name) == services.end()) others.insert(name);
  }
  return others;
}

Status check_release(const lockfile::Lockfile& lockfile, const std::string& service, int number) {
  const auto* release = find_release(lockfile, service, number);
  if (release == nullptr || release->failed || !release->definition) {
    const auto entry = lockfile.services.find(service);
    const auto known =
        entry == lockfile.services.end() ? std::string("none") : numbers_of(entry->second);
    const auto hint = fmt::format("it can go back to: {}", known);
    if (release == nullptr) {
      return fail(ErrorKind::not_found, fmt::format("{} has no release {}", service, number), hint);
    }
    return fail(ErrorKind::failed,
                release->failed
                    ? fmt::format("release {} of {} failed and was taken back", number, service)
                    : fmt::format("what release {} of {} was made of is not known: an older "
                                  "paasctl made it, or it was found on a server",
                                  number, service),
                hint);
  }
  return {};
}

Result<Wanted> wanted(const stack::Stack& declared, const lockfile::Lockfile& lockfile,
                      const Kept& kept) {
  Wanted result;
  result.stack = declared;
  for (const auto& [name, service] : lockfile.services) {
    if (service.image.empty() || kept.unchanged.contains(name)) continue;
    stack::ImageSource source;
    source.pull = service.image;
    result.stack = stack::with_image(std::move(result.stack), name, source);
  }
  for (const auto& name : kept.unchanged) {
    const auto* release = current_release(lockfile, name);
    if (release != nullptr && !release->image_digest.empty()) {
      result.held[name] = held_at(*release);
    }
  }
  for (const auto& [name, number] : kept_releases(lockfile, kept)) {
    // A service that leaves the stack has nothing to be kept at.
    if (stack::find_service(declared, name) == nullptr) continue;
    PAAS_CHECK(check_release(lockfile, name, number));
    const auto& release = *find_release(lockfile, name, number);
    auto with = stack::with_definition(result.stack, *release.definition);
    if (!with) {
      return fail(with.error(), fmt::format("keeping {} at release {}", name, number));
    }
    result.stack = std::move(*with);
    result.held[name] = held_at(release);
  }
  return result;
}

}  // namespace paas::plan
