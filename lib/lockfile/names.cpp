// Builds names and gives out numbers, ports and passwords.
#include "lockfile/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "lockfile/seal.hpp"

namespace paas::lockfile {
namespace {

constexpr int slots_first = 20'000;
constexpr int slots_of_a_service = 2;
constexpr int internal_ports_first = 30'000;
constexpr std::size_t password_length = 32;
constexpr std::string_view password_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

int first_free(const std::set<int>& taken, int from) {
  while (taken.count(from) != 0) ++from;
  return from;
}

}  // namespace

std::string server_name(const std::string& stack, const std::string& service, int number) {
  return fmt::format("{}-{}-{}", stack, service, number);
}

std::optional<ServerName> parse_server_name(const std::string& stack, const std::string& name) {
  const auto begin = stack.size() + 1;
  const auto hyphen = name.rfind('-');
  if (!name.starts_with(stack + "-") || hyphen <= begin || is_builder_name(name)) {
    return std::nullopt;
  }
  const auto number = text::to_integer(name.substr(hyphen + 1));
  constexpr int number_limit = 1'000'000'000;
  if (!number || *number < 1 || *number > number_limit) return std::nullopt;
  ServerName parts{name.substr(begin, hyphen - begin), static_cast<int>(*number)};
  // "shop-web-007" is nobody's.
  if (server_name(stack, parts.service, parts.number) != name) return std::nullopt;
  return parts;
}

std::string volume_name(const std::string& stack, const std::string& service) {
  return fmt::format("{}-{}", stack, service);
}

std::string firewall_name(const std::string& stack, const std::string& service) {
  return fmt::format("{}-{}", stack, service);
}

std::string vpc_name(const std::string& stack) { return stack; }

std::string ssh_key_name(const std::string& stack) { return "paasctl-" + stack; }

std::string snapshot_prefix(const std::string& stack, const std::string& service) {
  return fmt::format("{}.{}.image-", stack, service);
}

std::string service_of_snapshot(const std::string& stack, const std::string& name) {
  if (!name.starts_with(stack + ".")) return "";
  const auto begin = stack.size() + 1;
  const auto service = name.substr(begin, name.find('.', begin) - begin);
  return name.starts_with(snapshot_prefix(stack, service)) ? service : "";
}

SnapshotOrigin snapshot_origin(const std::string& image_digest, const std::string& base_image) {
  constexpr std::string_view algorithm = "sha256:";
  const auto begin = image_digest.starts_with(algorithm) ? algorithm.size() : 0;
  return {image_digest.substr(begin, 8), sha256_hex(base_image).substr(0, 4)};
}

std::string snapshot_name(const std::string& stack, const std::string& service,
                          const std::string& stamp, const SnapshotOrigin& origin) {
  return fmt::format("{}{}-{}-{}", snapshot_prefix(stack, service), stamp, origin.image,
                     origin.base);
}

std::optional<SnapshotOrigin> origin_of_snapshot(const std::string& name) {
  const auto parts = text::split(name.substr(name.rfind('.') + 1), '-');
  const auto is_hex = [](const std::string& part, std::size_t length) {
    return part.size() == length && part.find_first_not_of("0123456789abcdef") == std::string::npos;
  };
  if (parts.size() != 4 || !is_hex(parts[2], 8) || !is_hex(parts[3], 4)) return std::nullopt;
  return SnapshotOrigin{parts[2], parts[3]};
}

std::string builder_name(const std::string& stack, const std::string& service,
                         const std::string& random) {
  return fmt::format("{}-{}-builder-{}", stack, service, random);
}

bool is_builder_name(const std::string& name) {
  constexpr std::string_view mark = "-builder-";
  const auto place = name.rfind(mark);
  if (place == std::string::npos || name.size() != place + mark.size() + 8) return false;
  return name.find_first_not_of("0123456789abcdef", place + mark.size()) == std::string::npos;
}

std::string stack_tag(const std::string& stack) { return "paas:" + stack; }

std::string service_tag(const std::string& stack, const std::string& service) {
  return fmt::format("paas:{}:{}", stack, service);
}

std::string client_tag(const std::string& stack, const std::string& target) {
  return fmt::format("paas:{}:uses:{}", stack, target);
}

Server& allocate_server(Lockfile& lockfile, const std::string& stack, const std::string& service) {
  auto& numbers = lockfile.services[service];
  // The counter alone decides; a server beyond it means an edited lockfile, and is stepped over.
  while (lockfile.servers.count(server_name(stack, service, numbers.next_number)) != 0) {
    ++numbers.next_number;
  }
  Server server;
  server.service = service;
  server.number = numbers.next_number++;
  server.droplet.name = server_name(stack, service, server.number);
  const auto name = server.droplet.name;
  return lockfile.servers.emplace(name, std::move(server)).first->second;
}

const std::vector<int>& allocate_slots(Lockfile& lockfile, const std::string& service) {
  auto& slots = lockfile.services[service].slots;
  std::set<int> taken;
  for (const auto& [name, other] : lockfile.services) {
    taken.insert(other.slots.begin(), other.slots.end());
  }
  while (slots.size() < slots_of_a_service) {
    slots.push_back(first_free(taken, slots_first));
    taken.insert(slots.back());
  }
  return slots;
}

int allocate_internal_port(Lockfile& lockfile, const std::string& service,
                           const std::vector<int>& listened) {
  auto& port = lockfile.services[service].internal_port;
  if (port) return *port;
  std::set<int> taken(listened.begin(), listened.end());
  for (const auto& [name, other] : lockfile.services) {
    if (other.internal_port) taken.insert(*other.internal_port);
  }
  port = first_free(taken, internal_ports_first);
  return *port;
}

Secret generate_password(Random& random) {
  // Bytes from the last, incomplete round of the alphabet would favour its first letters.
  constexpr auto whole_rounds = 256 / password_letters.size() * password_letters.size();
  std::string password;
  while (password.size() < password_length) {
    for (const char c : random.bytes(password_length)) {
      const auto value = static_cast<unsigned char>(c);
      if (value < whole_rounds && password.size() < password_length) {
        password += password_letters[value % password_letters.size()];
      }
    }
  }
  return Secret(std::move(password));
}

}  // namespace paas::lockfile
