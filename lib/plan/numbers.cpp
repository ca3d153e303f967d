// The cloud as a witness: droplets are named with numbers that are given out once.
#include "plan/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "plan/stored_data.hpp"

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

/// Whether it is a server's of the lockfile, which somebody may have given another's name.
bool is_known(const lockfile::Lockfile& lockfile, const digitalocean::Droplet& droplet) {
  const auto id = std::to_string(droplet.id);
  return std::any_of(lockfile.servers.begin(), lockfile.servers.end(),
                     [&](const auto& entry) { return entry.second.droplet.id == id; });
}

/// What a droplet proves that the lockfile does not know; empty: nothing.
std::string proof_of(const lockfile::Lockfile& lockfile, const digitalocean::Droplet& droplet,
                     const lockfile::ServerName& parts) {
  if (droplet.vpc_id != lockfile.vpc->id) return "";
  if (const auto known = lockfile.servers.find(droplet.name); known != lockfile.servers.end()) {
    return lockfile::is_asked_for(known->second) ? "" : "it has never asked for it";
  }
  const int next = next_number(lockfile, parts.service);
  if (parts.number < next) return "";
  return fmt::format("it has given out numbers up to {} only", next - 1);
}

}  // namespace

Status check_numbers(const std::string& stack, const lockfile::Lockfile& lockfile,
                     const observe::Observed& observed) {
  if (!lockfile.vpc || lockfile.vpc->id.empty()) return {};
  std::string evidence;
  each_server(stack, observed, [&](const auto& droplet, const auto& parts) {
    if (!evidence.empty()) return;
    const auto proof = proof_of(lockfile, droplet, parts);
    if (proof.empty() || is_known(lockfile, droplet)) return;
    evidence =
        fmt::format("droplet {} ({}) is in its network, and {}", droplet.name, droplet.id, proof);
  });
  if (evidence.empty()) return {};
  return fail(ErrorKind::invalid, "the lockfile is older than the cloud: " + evidence,
              "nothing was changed: put the newest lockfile back; if it is lost, `paasctl state "
              "accept` goes on from this one, with numbers above those in use; a droplet that was "
              "made by hand is adopted by `paasctl state import`");
}

std::vector<std::string> take_unasked(const stack::Stack& stack, const observe::Observed& observed,
                                      lockfile::Lockfile& lockfile) {
  std::vector<std::string> taken;
  if (!lockfile.vpc || lockfile.vpc->id.empty()) return taken;
  each_server(stack.name, observed, [&](const auto& droplet, const auto&) {
    const auto known = lockfile.servers.find(droplet.name);
    if (known == lockfile.servers.end() || lockfile::is_asked_for(known->second)) return;
    if (droplet.vpc_id != lockfile.vpc->id || is_known(lockfile, droplet)) return;
    auto& server = known->second;
    server.droplet.id = std::to_string(droplet.id);
    server.public_address = droplet.public_address;
    server.private_address = droplet.private_address;
    server.size = droplet.size;
    server.region = droplet.region;
    server.created = droplet.created_at;
    server.leaving = true;
    server.holds_data = may_store_data(stack, observed, server, nullptr);
    taken.push_back(droplet.name);
  });
  return taken;
}

void raise_numbers(const std::string& stack, const observe::Observed& observed,
                   lockfile::Lockfile& lockfile) {
  each_server(stack, observed, [&](const auto&, const auto& parts) {
    auto& next = lockfile.services[parts.service].next_number;
    next = std::max(next, parts.number + 1);
  });
}

}  // namespace paas::plan
