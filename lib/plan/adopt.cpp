// Judges a droplet that was made by hand, and gives it a number.
#include "plan/adopt.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "plan/counts.hpp"
#include "plan/releases.hpp"

namespace paas::plan {

namespace {

std::string title_of(const digitalocean::Droplet& droplet) {
  return fmt::format("droplet {} ({})", droplet.name, droplet.id);
}

Status check_place(const lockfile::Lockfile& lockfile, const stack::Stack& stack,
                   const digitalocean::Droplet& droplet) {
  if (!lockfile.vpc || lockfile.vpc->id.empty()) {
    return fail(ErrorKind::invalid, "the stack has no private network yet",
                "run `paasctl up` first, and make the droplet in the stack's network");
  }
  if (droplet.region != stack.region) {
    return fail(ErrorKind::invalid,
                fmt::format("{} is in {}, the stack in {}", title_of(droplet), droplet.region,
                            stack.region),
                "a droplet cannot move: make one in the stack's region");
  }
  if (droplet.vpc_id != lockfile.vpc->id) {
    return fail(ErrorKind::invalid,
                fmt::format("{} is not in the stack's private network", title_of(droplet)),
                fmt::format("a droplet cannot move: make one in VPC {} ({})", lockfile.vpc->name,
                            lockfile.vpc->id));
  }
  if (droplet.status != "active" || droplet.public_address.empty() ||
      droplet.private_address.empty()) {
    return fail(ErrorKind::invalid,
                fmt::format("{} is {}", title_of(droplet),
                            droplet.status == "active" ? "without an address" : droplet.status),
                "it has to be active with its addresses");
  }
  return {};
}

Status check_owner_of(const lockfile::Lockfile& lockfile, const stack::Stack& stack,
                      const digitalocean::Droplet& droplet) {
  for (const auto& [name, server] : lockfile.servers) {
    if (server.droplet.id != std::to_string(droplet.id)) continue;
    return fail(ErrorKind::exists, fmt::format("{} is server {} already", title_of(droplet), name));
  }
  if (lockfile::belongs(droplet.tags, stack.name, lockfile::Intent::written)) return {};
  return fail(ErrorKind::exists, fmt::format("{} is another stack's", title_of(droplet)),
              fmt::format("its tags are {}", fmt::join(droplet.tags, ", ")));
}

Status check_size(const stack::Stack& stack, const stack::Service& service,
                  const digitalocean::Droplet& droplet) {
  const auto& wanted = service.size.empty() ? stack.size : service.size;
  if (droplet.size == wanted) return {};
  return fail(ErrorKind::invalid,
              fmt::format("{} has size {}, the stack says {} for {}: `up` would replace it",
                          title_of(droplet), droplet.size, wanted, service.name),
              fmt::format("write size: {} to services.{} if all of its servers shall have it",
                          droplet.size, service.name));
}

/// One more than there are.
Status raise_count(lockfile::Lockfile& lockfile, const stack::Service& service) {
  const auto staying = static_cast<int>(
      std::count_if(lockfile.servers.begin(), lockfile.servers.end(), [&](const auto& entry) {
        return entry.second.service == service.name && !entry.second.leaving && !entry.second.warm;
      }));
  if (staying >= service.scale.max) {
    return fail(ErrorKind::usage,
                fmt::format("{} can have {} server{} at most", service.name, service.scale.max,
                            service.scale.max == 1 ? "" : "s"),
                limit_hint(service, "the stack file"));
  }
  auto& count = lockfile.services[service.name].count;
  count = std::max({count, service.scale.min, staying + 1});
  return {};
}

/// Whether a database of another service may have its data there: its server was forgotten, and
/// comes back as one of this service.
bool may_hold_another_database(const stack::Stack& stack, const std::string& service,
                               observe::Machine inside) {
  std::erase_if(inside.containers, [&](const observe::Container& container) {
    const auto* declared = stack::find_service(stack, container.service);
    const bool is_other = declared != nullptr && declared->type != stack::ServiceType::db;
    return container.service == service || is_other;
  });
  return may_store_on_disk(inside);
}

}  // namespace

Result<std::string> adopt(lockfile::Lockfile& lockfile, const stack::Stack& stack,
                          const stack::Service& service, const digitalocean::Droplet& droplet) {
  PAAS_CHECK(check_owner_of(lockfile, stack, droplet));
  PAAS_CHECK(check_place(lockfile, stack, droplet));
  PAAS_CHECK(check_size(stack, service, droplet));
  auto next = lockfile;
  PAAS_CHECK(raise_count(next, service));
  const auto parts = lockfile::parse_server_name(stack.name, droplet.name);
  auto& number = next.services[service.name].next_number;
  if (parts && parts->service == service.name && parts->number >= number) number = parts->number;
  auto& server = lockfile::allocate_server(next, stack.name, service.name);
  server.droplet.id = std::to_string(droplet.id);
  server.public_address = droplet.public_address;
  server.private_address = droplet.private_address;
  server.size = droplet.size;
  server.region = droplet.region;
  server.image = droplet.image_slug.empty() ? std::to_string(droplet.image_id) : droplet.image_slug;
  server.created = droplet.created_at;
  // Whoever made it may have put data there.
  server.holds_data = service.type == stack::ServiceType::db;
  auto name = server.droplet.name;
  lockfile = std::move(next);
  return name;
}

void take_inside(lockfile::Lockfile& lockfile, const stack::Stack& stack, const std::string& name,
                 const observe::Machine& inside) {
  auto& server = lockfile.servers.at(name);
  observe::Observed observed;
  auto& seen = observed.servers[name];
  seen.droplet.id = std::stoll(server.droplet.id);
  seen.machine = inside;
  take_running_releases(stack, observed, lockfile);
  if (may_hold_another_database(stack, server.service, inside)) server.holds_data = true;
  server.prepared = !inside.containers.empty();
}

}  // namespace paas::plan
