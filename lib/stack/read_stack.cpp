// Reads the top of a stack file, its images and its load balancer.
#include "stack/read_stack.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "stack/show.hpp"

namespace paas::stack {

namespace {

void read_cloud(Reader& reader, const Field& field, Stack& stack) {
  const auto value = reader.text(field);
  if (!value) return;
  if (*value == "local") {
    stack.cloud = CloudKind::local;
  } else if (*value == "digitalocean") {
    stack.cloud = CloudKind::digitalocean;
  } else {
    reader.report(field.path, fmt::format("there is no cloud {}", show_value(*value)),
                  suggest(*value, {"digitalocean", "local"}, "the clouds"));
  }
}

constexpr std::string_view ssh_hint =
    "paasctl itself comes in by SSH: name the addresses that may, such as "
    "ssh: {from: [203.0.113.7/32]}, or [0.0.0.0/0] for everybody";

void read_ssh(Reader& reader, const Fields& fields, Stack& stack) {
  const auto found = fields.find("ssh");
  if (found == fields.end()) return reader.missing("ssh.from", std::string(ssh_hint));
  const auto ssh = reader.fields(found->second, {"from"});
  const auto from = ssh.find("from");
  if (from != ssh.end()) {
    stack.ssh_from = read_addresses(reader, from->second);
    if (stack.ssh_from.empty() && !reader.is_broken("ssh.from")) {
      reader.report("ssh.from", "is empty, so nobody could reach port 22", std::string(ssh_hint));
    }
  } else {
    reader.missing(found->second, "from", std::string(ssh_hint));
  }
}

void read_images(Reader& reader, const Field& field, Stack& stack) {
  for (const auto& [name, image] : reader.entries(field)) {
    reader.accept(image, parse_name(name));
    stack.images[name] = read_image(reader, image);
  }
}

void read_machine_images(Reader& reader, const Field& field, Stack& stack) {
  const auto fields = reader.fields(field, {"keep"});
  if (const auto keep = fields.find("keep"); keep != fields.end()) {
    stack.machine_images_kept = reader.integer(keep->second, 1, 100);
  } else {
    reader.missing(field, "keep", "say how many of each service are kept, such as keep: 2");
  }
}

void read_hook_timeouts(Reader& reader, const Field& field, Stack& stack) {
  using std::chrono::milliseconds;
  const auto fields = reader.fields(field, {"pre_release"});
  const auto value =
      read_duration(reader, fields, "pre_release", milliseconds(1000), std::chrono::hours(24));
  if (value) stack.pre_release_timeout_ms = static_cast<int>(value->count());
}

void read_services(Reader& reader, const Field& field, Stack& stack) {
  const auto services = reader.entries(field);
  if (services.empty() && !reader.is_broken("services")) {
    reader.report("services", "has no service", "describe at least one");
  }
  for (const auto& [name, service] : services) {
    if (name == "lb") {
      reader.report(service.path, "\"lb\" is the load balancer's own name",
                    "give the service another name");
    } else {
      reader.accept(service, parse_name(name));
    }
    stack.services.push_back(read_service(reader, name, service));
  }
}

}  // namespace

void read_text(Reader& reader, const Fields& fields, std::string_view key,
               Parsed<std::string> (*parse)(std::string_view), std::string& target) {
  const auto found = fields.find(key);
  if (found == fields.end()) return;
  if (auto value = reader.value(found->second, parse)) target = std::move(*value);
}

std::map<std::string, std::string> read_variables(Reader& reader, const Field& field) {
  std::map<std::string, std::string> result;
  for (const auto& [name, variable] : reader.entries(field)) {
    if (!reader.accept(variable, parse_variable_name(name))) continue;
    if (variable.node->kind == yaml::Kind::null) {
      reader.report(variable.path, "has no value", "write \"\" for an empty one");
    } else if (auto value = reader.value(variable, parse_variable_value)) {
      result[name] = std::move(*value);
    }
  }
  return result;
}

std::vector<int> read_public_ports(Reader& reader, const Field& field, std::string_view example) {
  std::vector<int> ports;
  const auto items = reader.items(field);
  if (items.empty() && !reader.is_broken(field.path)) {
    reader.report(field.path, "is empty", fmt::format("name a port, such as [{}]", example));
  }
  for (const auto& item : items) {
    const auto port = reader.integer(item, 1, 65535);
    if (!port) continue;
    if (*port == 22) {
      reader.report(item.path, "port 22 is SSH's",
                    fmt::format("listen on another port, such as {}", example));
    } else if (std::find(ports.begin(), ports.end(), *port) != ports.end()) {
      reader.report(item.path, fmt::format("port {} stands here a second time", *port),
                    "remove it");
    } else {
      ports.push_back(*port);
    }
  }
  return ports;
}

std::vector<std::string> read_addresses(Reader& reader, const Field& field) {
  std::vector<std::string> result;
  for (const auto& item : reader.items(field)) {
    auto address = reader.value(item, parse_cidr);
    if (!address) continue;
    if (std::find(result.begin(), result.end(), *address) == result.end()) {
      result.push_back(std::move(*address));
    }
  }
  return result;
}

std::vector<std::string> read_allow(Reader& reader, const Field& field,
                                    std::string_view absent_means) {
  auto result = read_addresses(reader, field);
  if (result.empty() && !reader.is_broken(field.path)) {
    reader.report(field.path, "is empty", fmt::format("leave it out to let in {}", absent_means));
  }
  return result;
}

LoadBalancer read_load_balancer(Reader& reader, const Field& field) {
  LoadBalancer lb;
  std::vector<std::string> keys = {"listen", "tls", "rules", "size", "allow"};
  keys.insert(keys.end(), traffic_keys().begin(), traffic_keys().end());
  const auto fields = reader.fields(field, keys);
  if (const auto listen = fields.find("listen"); listen != fields.end()) {
    lb.listen = read_public_ports(reader, listen->second, "80");
  } else {
    reader.missing(field, "listen", "name the ports, such as listen: [80]");
  }
  if (const auto tls = fields.find("tls"); tls != fields.end()) {
    lb.tls = read_tls(reader, tls->second);
  }
  if (const auto rules = fields.find("rules"); rules != fields.end()) {
    for (const auto& item : reader.items(rules->second)) {
      lb.rules.push_back(read_rule(reader, item));
    }
  }
  if (const auto allow = fields.find("allow"); allow != fields.end()) {
    lb.allow = read_allow(reader, allow->second, "everybody");
  }
  read_text(reader, fields, "size", parse_slug, lb.size);
  lb.traffic = read_traffic(reader, fields);
  return lb;
}

Stack read_stack(Reader& reader, const Field& root) {
  Stack stack;
  const auto fields =
      reader.fields(root, {"stack", "cloud", "region", "size", "base_image", "ssh", "images",
                           "registries", "machine_images", "timeouts", "services", "lb"});
  const auto has = [&](std::string_view key) { return fields.find(key) != fields.end(); };
  if (root.node->kind != yaml::Kind::map) return stack;
  read_text(reader, fields, "stack", parse_name, stack.name);
  read_text(reader, fields, "region", parse_slug, stack.region);
  read_text(reader, fields, "size", parse_slug, stack.size);
  read_text(reader, fields, "base_image", parse_slug, stack.base_image);
  if (!has("stack")) reader.missing(root, "stack", "name the stack, such as stack: shop");
  if (!has("region")) reader.missing(root, "region", "name a region, such as region: nyc3");
  if (!has("services")) reader.missing(root, "services", "describe at least one service");
  if (has("cloud")) read_cloud(reader, fields.at("cloud"), stack);
  read_ssh(reader, fields, stack);
  if (has("images")) read_images(reader, fields.at("images"), stack);
  if (has("machine_images")) read_machine_images(reader, fields.at("machine_images"), stack);
  if (has("timeouts")) read_hook_timeouts(reader, fields.at("timeouts"), stack);
  if (has("registries")) stack.registries = read_registries(reader, fields.at("registries"));
  if (has("services")) read_services(reader, fields.at("services"), stack);
  if (has("lb")) stack.lb = read_load_balancer(reader, fields.at("lb"));
  return stack;
}

}  // namespace paas::stack
