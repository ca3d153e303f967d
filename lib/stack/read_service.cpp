// Reads one service of a stack file.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "stack/read_stack.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

using std::chrono::milliseconds;

void read_type(Reader& reader, const Field& field, Service& service) {
  const auto value = reader.text(field);
  if (!value) return;
  for (const auto type :
       {ServiceType::web, ServiceType::worker, ServiceType::db, ServiceType::cache}) {
    if (*value != to_text(type)) continue;
    service.type = type;
    return;
  }
  reader.report(field.path, fmt::format("there is no type {}", show_value(*value)),
                suggest(*value, {"web", "worker", "db", "cache"}, "the types"));
}

Health read_health(Reader& reader, const Field& field) {
  Health health;
  const auto fields = reader.fields(field, {"path", "interval", "timeout", "start_timeout"});
  if (const auto path = fields.find("path"); path != fields.end()) {
    health.path = reader.value(path->second, parse_health_path).value_or("");
  }
  const auto hour = milliseconds(3600000);
  if (const auto value = read_duration(reader, fields, "interval", milliseconds(100), hour)) {
    health.interval_ms = static_cast<int>(value->count());
  }
  if (const auto value = read_duration(reader, fields, "timeout", milliseconds(10), hour)) {
    health.timeout_ms = static_cast<int>(value->count());
  }
  if (const auto value = read_duration(reader, fields, "start_timeout", milliseconds(1000), hour)) {
    if (value->count() % 1000 != 0) {
      reader.report(fields.at("start_timeout").path, "must be whole seconds", "such as 120s");
    }
    health.start_timeout_seconds = static_cast<int>(value->count() / 1000);
  }
  return health;
}

constexpr int scale_limit = 1000;

void read_target(Reader& reader, const Field& field, Scale& scale) {
  for (const auto& [name, target] : reader.entries(field)) {
    if (!reader.accept(target, parse_metric(name))) continue;
    const auto written = reader.plain(target, "a number");
    if (!written) continue;
    if (const auto value = reader.accept(target, parse_positive_number(*written))) {
      scale.target[name] = *value;
    }
  }
}

Scale read_scale(Reader& reader, const Field& field) {
  Scale scale;
  if (field.node->kind == yaml::Kind::scalar) {
    scale.min = scale.max = reader.integer(field, 1, scale_limit).value_or(1);
    return scale;
  }
  if (field.node->kind == yaml::Kind::sequence) {
    reader.report(field.path, "must be a number or {min: NUMBER, max: NUMBER}, not a list");
    return scale;
  }
  const auto fields = reader.fields(field, {"min", "max", "target", "warm"});
  if (const auto min = fields.find("min"); min != fields.end()) {
    scale.min = reader.integer(min->second, 1, scale_limit).value_or(1);
  }
  if (const auto max = fields.find("max"); max != fields.end()) {
    scale.max = reader.integer(max->second, 1, scale_limit).value_or(scale_limit);
    if (scale.max < scale.min) {
      reader.report(max->second.path,
                    fmt::format("is {}, less than min, which is {}", scale.max, scale.min),
                    "max is at least min");
    }
  } else {
    const auto hint =
        fields.contains("warm")
            ? fmt::format("write max: {} for a fixed number", scale.min)
            : fmt::format("write scale: {} for a fixed number, or give max as well", scale.min);
    reader.missing(field, "max", hint);
  }
  if (const auto warm = fields.find("warm"); warm != fields.end()) {
    scale.warm = reader.integer(warm->second, 0, scale_limit).value_or(0);
  }
  if (const auto target = fields.find("target"); target != fields.end()) {
    read_target(reader, target->second, scale);
  }
  return scale;
}

Link read_link(Reader& reader, const Field& field) {
  Link link;
  if (field.node->kind == yaml::Kind::scalar) {
    link.to = reader.value(field, parse_plain_text).value_or("");
    return link;
  }
  if (field.node->kind != yaml::Kind::map) {
    reader.report(field.path, "must be the name of a service or {to: SERVICE, env: {...}}");
    return link;
  }
  const auto fields = reader.fields(field, {"to", "env"});
  if (const auto to = fields.find("to"); to != fields.end()) {
    link.to = reader.value(to->second, parse_plain_text).value_or("");
  } else {
    reader.missing(field, "to", "name the service that is linked to");
  }
  if (const auto env = fields.find("env"); env != fields.end()) {
    link.env = read_variables(reader, env->second);
  }
  return link;
}

std::optional<Volume> read_volume(Reader& reader, const Field& field) {
  Volume volume;
  const auto fields = reader.fields(field, {"size", "mount"});
  if (const auto size = fields.find("size"); size != fields.end()) {
    volume.size_gigabytes = reader.value(size->second, parse_volume_size).value_or(1);
  } else {
    reader.missing(field, "size", "such as size: 10GiB");
  }
  if (const auto mount = fields.find("mount"); mount != fields.end()) {
    volume.mount = reader.value(mount->second, parse_mount).value_or("");
  } else {
    reader.missing(field, "mount",
                   "name the folder in the container, such as mount: /var/lib/data");
  }
  return volume;
}

std::vector<std::string> read_command(Reader& reader, const Field& field) {
  std::vector<std::string> result;
  if (field.node->kind == yaml::Kind::scalar) {
    reader.report(field.path, "must be a list of arguments, not text",
                  "write [program, argument, ...]; no shell reads it");
    return result;
  }
  for (const auto& item : reader.items(field)) {
    if (auto argument = reader.value(item, parse_variable_value)) {
      result.push_back(std::move(*argument));
    }
  }
  if (!result.empty() && result.front().empty()) {
    reader.report(field.path, "begins with an empty text", "the first is the program");
  }
  return result;
}

/// One name, or two that take turns.
void read_users(Reader& reader, const Field& field, Credentials& credentials) {
  if (field.node->kind != yaml::Kind::sequence) {
    credentials.user = reader.value(field, parse_identifier).value_or("user");
    return;
  }
  std::vector<std::string> names;
  for (const auto& item : reader.items(field)) {
    names.push_back(reader.value(item, parse_identifier).value_or(""));
  }
  credentials.user = "user";
  if (reader.is_broken(field.path)) return;
  if (names.size() != 2 || names[0] == names[1]) {
    reader.report(
        field.path, "must be one name or two different ones",
        "with two, such as [app, app_b], rotations give the new password to them in turn");
    return;
  }
  credentials.user = names[0];
  credentials.other_user = names[1];
}

Credentials read_credentials(Reader& reader, const Field& field) {
  Credentials credentials;
  const auto fields = reader.fields(field, {"user", "database", "env", "set", "retire"});
  if (const auto user = fields.find("user"); user != fields.end()) {
    read_users(reader, user->second, credentials);
  }
  if (const auto database = fields.find("database"); database != fields.end()) {
    credentials.database = reader.value(database->second, parse_identifier).value_or("database");
  }
  if (const auto env = fields.find("env"); env != fields.end()) {
    credentials.env = read_variables(reader, env->second);
  }
  if (const auto set = fields.find("set"); set != fields.end()) {
    credentials.set = read_command(reader, set->second);
  }
  if (const auto retire = fields.find("retire"); retire != fields.end()) {
    credentials.retire = read_command(reader, retire->second);
  }
  return credentials;
}

const std::vector<std::string> everywhere = {"0.0.0.0/0", "::/0"};

void read_protocol(Reader& reader, const Field& field, Outbound& outbound) {
  const auto value = reader.text(field);
  if (!value) return;
  outbound.protocol = *value;
  if (*value == "tcp" || *value == "udp" || *value == "icmp") return;
  reader.report(field.path, fmt::format("there is no protocol {}", show_value(*value)),
                suggest(*value, {"tcp", "udp", "icmp"}, "the protocols"));
}

/// "tcp:443" is short for {protocol: tcp, ports: 443}.
Outbound read_short_outbound(Reader& reader, const Field& field) {
  const auto& written = field.node->value;
  Outbound outbound;
  outbound.to = everywhere;
  const auto colon = written.find(':');
  outbound.protocol = written.substr(0, colon);
  const bool known = outbound.protocol == "tcp" || outbound.protocol == "udp";
  if (written == "icmp") return outbound;
  if (!known || colon == std::string::npos) {
    reader.report(field.path, fmt::format("{} is no outbound opening", show_value(written)),
                  "write tcp:443, udp:53, icmp, or {protocol: tcp, ports: 443, to: [10.0.0.0/8]}");
    return outbound;
  }
  outbound.ports =
      reader.accept(field, parse_port_range(written.substr(colon + 1))).value_or("all");
  return outbound;
}

Outbound read_outbound(Reader& reader, const Field& field) {
  if (field.node->kind == yaml::Kind::scalar) return read_short_outbound(reader, field);
  Outbound outbound;
  outbound.to = everywhere;
  const auto fields = reader.fields(field, {"protocol", "ports", "to"});
  if (const auto protocol = fields.find("protocol"); protocol != fields.end()) {
    read_protocol(reader, protocol->second, outbound);
  } else {
    reader.missing(field, "protocol", "write tcp, udp or icmp");
  }
  const auto ports = fields.find("ports");
  if (ports != fields.end()) {
    outbound.ports = reader.value(ports->second, parse_port_range).value_or("all");
  }
  if (const auto to = fields.find("to"); to != fields.end()) {
    outbound.to = read_addresses(reader, to->second);
    if (outbound.to.empty() && !reader.is_broken(to->second.path)) {
      reader.report(to->second.path, "is empty", "leave it out to mean everywhere");
    }
  }
  if (reader.is_broken(field.path)) return outbound;
  if (outbound.protocol == "icmp" && ports != fields.end()) {
    reader.report(ports->second.path, "icmp has no ports", "remove the key");
  } else if (outbound.protocol != "icmp" && ports == fields.end()) {
    reader.missing(field, "ports", "such as 443, 8000-9000 or all");
  }
  return outbound;
}

/// The parts that are lists or maps; the plain values are read by read_service().
void read_parts(Reader& reader, const Fields& fields, Service& service) {
  const auto with = [&](std::string_view key, auto&& read) {
    if (const auto found = fields.find(key); found != fields.end()) read(found->second);
  };
  with("env", [&](const Field& f) { service.env = read_variables(reader, f); });
  with("health", [&](const Field& f) { service.health = read_health(reader, f); });
  with("scale", [&](const Field& f) { service.scale = read_scale(reader, f); });
  with("command", [&](const Field& f) { service.command = read_command(reader, f); });
  with("volume", [&](const Field& f) { service.volume = read_volume(reader, f); });
  with("credentials", [&](const Field& f) { service.credentials = read_credentials(reader, f); });
  with("allow", [&](const Field& f) {
    service.allow = read_allow(reader, f, "only those that link to it");
  });
  with("links", [&](const Field& f) {
    for (const auto& item : reader.items(f)) service.links.push_back(read_link(reader, item));
  });
  with("sticky", [&](const Field& f) { service.sticky = read_sticky(reader, f); });
  with("max_connections",
       [&](const Field& f) { service.max_connections = reader.integer(f, 1, 65535); });
  if (const auto value = read_duration(reader, fields, "answer_timeout", milliseconds(100),
                                       std::chrono::hours(24))) {
    service.answer_timeout_ms = static_cast<int>(value->count());
  }
  with("outbound", [&](const Field& f) {
    service.outbound.emplace();
    for (const auto& item : reader.items(f)) {
      service.outbound->push_back(read_outbound(reader, item));
    }
  });
}

}  // namespace

std::optional<milliseconds> read_duration(Reader& reader, const Fields& fields,
                                          std::string_view key, milliseconds min,
                                          milliseconds max) {
  const auto found = fields.find(key);
  if (found == fields.end()) return std::nullopt;
  const auto value = reader.value(found->second, parse_duration);
  if (!value) return std::nullopt;
  if (*value < min || *value > max) {
    reader.report(found->second.path,
                  fmt::format("must be from {}ms to {}s", min.count(), max.count() / 1000));
    return std::nullopt;
  }
  return value;
}

Service read_service(Reader& reader, const std::string& name, const Field& field) {
  Service service;
  service.name = name;
  const auto fields =
      reader.fields(field, {"type", "image", "port", "scheme", "size", "command", "env", "health",
                            "scale", "links", "volume", "credentials", "allow", "outbound",
                            "sticky", "answer_timeout", "max_connections"});
  if (field.node->kind != yaml::Kind::map) {
    reader.leave_out(field.path + ".type");
    return service;
  }
  if (const auto type = fields.find("type"); type != fields.end()) {
    read_type(reader, type->second, service);
  } else {
    reader.missing(field, "type", "write type: web, worker, db or cache");
  }
  if (const auto image = fields.find("image"); image != fields.end()) {
    service.image = reader.value(image->second, parse_plain_text).value_or("");
  } else {
    reader.missing(field, "image", "name one of the images of this file");
  }
  const bool is_web = service.type == ServiceType::web;
  service.scheme = is_web ? "http" : "tcp";
  if (const auto scheme = fields.find("scheme"); scheme != fields.end()) {
    service.scheme = reader.value(scheme->second, parse_scheme).value_or(service.scheme);
  }
  if (const auto size = fields.find("size"); size != fields.end()) {
    service.size = reader.value(size->second, parse_slug).value_or("");
  }
  if (const auto port = fields.find("port"); port != fields.end()) {
    service.port = reader.integer(port->second, 1, 65535);
  }
  read_parts(reader, fields, service);
  if (is_web && service.health.path.empty()) service.health.path = "/";
  return service;
}

}  // namespace paas::stack
