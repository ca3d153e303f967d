// The cloud as a witness: droplets are named with numbers that are given out once.
#include "plan/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"

namespace paas::plan {

namespace {

using OnServer = std::function<void(const digitalocean::Droplet&, const lockfile::ServerName&)>;

void each_server(const std::string& stack, const observe::Observed& observed,
                 const OnServer& visit) {
  const auto look = [&](const digitalocean::Droplet& droplet) {
    if (!lockfile::belongs(droplet.tags, stack, lockfile::Intent::none)) return;
    if (const auto parts = lockfile::parse_server_name(stack, droplet.name)) visit(droplet, *parts);
  };
  for (const auto& [name, server] : observed.servers) look(server.droplet);
  for (const auto& droplet : observed.namesakes) look(droplet);
}

int next_number(const lockfile::Lockfile& lockfile, const std::string& service) {
  const auto entry = lockfile.services.find(service);
  return entry == lockfile.services.end() ? 1 : entry->second.next_number;
}

}  // namespace

Status check_numbers(const std::string& stack, const lockfile::Lockfile& lockfile,
                     const observe::Observed& observed) {
  if (!lockfile.vpc || lockfile.vpc->id.empty()) return {};
  std::string witness;
  int given_out = 0;
  each_server(stack, observed, [&](const auto& droplet, const auto& parts) {
    const int next = next_number(lockfile, parts.service);
    if (droplet.vpc_id != lockfile.vpc->id || parts.number < next || !witness.empty()) return;
    if (lockfile.servers.contains(droplet.name)) return;
    witness = fmt::format("droplet {} ({})", droplet.name, droplet.id);
    given_out = next - 1;
  });
  if (witness.empty()) return {};
  return fail(ErrorKind::invalid,
              fmt::format("the lockfile is older than the cloud: {} is in its network, and it has "
                          "given out numbers up to {} only",
                          witness, given_out),
              "nothing was changed: put the newest lockfile back; if it is lost, `paasctl state "
              "accept` goes on from this one, with numbers above those in use; a droplet that was "
              "made by hand is adopted by `paasctl state import`");
}

void raise_numbers(const std::string& stack, const observe::Observed& observed,
                   lockfile::Lockfile& lockfile) {
  each_server(stack, observed, [&](const auto&, const auto& parts) {
    auto& next = lockfile.services[parts.service].next_number;
    next = std::max(next, parts.number + 1);
  });
}

}  // namespace paas::plan
