// Compares a machine image's name and age with what is wanted.
#include "plan/machine_image.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "base/text.hpp"
#include "lockfile/names.hpp"
#include "plan/wanted.hpp"

namespace paas::plan {

namespace {

/// The day of "2026-01-31T08:15:00Z", as days since 1970.
std::optional<std::int64_t> day_of(const std::string& timestamp) {
  const auto parts = text::split(timestamp.substr(0, 10), '-');
  if (parts.size() != 3) return std::nullopt;
  const auto year = text::to_integer(parts[0]);
  const auto month = text::to_integer(parts[1]);
  const auto day = text::to_integer(parts[2]);
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

}  // namespace

bool has_other_base(const digitalocean::Snapshot& snapshot, const stack::Stack& stack) {
  const auto origin = lockfile::origin_of_snapshot(snapshot.name);
  return origin && origin->base != lockfile::snapshot_origin("", stack.base_image).base;
}

std::string staleness(const digitalocean::Snapshot& snapshot, const std::string& service,
                      const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                      std::int64_t now) {
  if (has_other_base(snapshot, stack)) {
    return fmt::format("it starts from another base image than {}", stack.base_image);
  }
  const auto origin = lockfile::origin_of_snapshot(snapshot.name);
  const auto* release = current_release(lockfile, service);
  if (origin && release != nullptr &&
      origin->image != lockfile::snapshot_origin(release->image_digest, "").image) {
    return fmt::format("its image is not that of release {}", release->number);
  }
  const auto made = day_of(snapshot.created_at);
  if (!made || now == 0) return "";
  const auto days = now / 86400 - *made;
  if (days < machine_image_days) return "";
  return fmt::format("its packages are of {} days ago", days);
}

}  // namespace paas::plan
