// Judges services by their type.
#include "stack/check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "stack/links.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

bool keeps_data(ServiceType type) { return type == ServiceType::db || type == ServiceType::cache; }

void check_image(Reader& reader, const Stack& stack, const Service& service) {
  const auto path = service_path(service) + ".image";
  if (service.image.empty() || reader.is_broken(path)) return;
  if (stack.images.find(service.image) != stack.images.end()) return;
  std::vector<std::string> names;
  for (const auto& [name, image] : stack.images) names.push_back(name);
  reader.report(path, fmt::format("there is no image {}", show_value(service.image)),
                names.empty() ? fmt::format("declare it: images: {{{}: {{build: ./folder}}}}",
                                            show_key(service.image))
                              : suggest(service.image, names, "the images"));
}

/// What the load balancer does for a service.
void check_balanced(Reader& reader, const Service& service) {
  if (service.type == ServiceType::web) return;
  const auto refuse = [&](bool is_there, std::string_view key) {
    if (!is_there) return;
    reader.report(fmt::format("{}.{}", service_path(service), key),
                  fmt::format("type {} is not behind the load balancer", to_text(service.type)),
                  "remove it; only web has it");
  };
  refuse(service.sticky.has_value(), "sticky");
  refuse(service.answer_timeout_ms.has_value(), "answer_timeout");
  refuse(service.max_connections.has_value(), "max_connections");
}

void check_parts(Reader& reader, const Service& service) {
  const auto path = service_path(service);
  const auto type = to_text(service.type);
  if (!service.port && service.type != ServiceType::worker && !reader.is_broken(path + ".port")) {
    reader.missing(
        path + ".port",
        fmt::format("type {} needs the port that it listens on inside its container, such "
                    "as port: 8000",
                    type));
  }
  // The load balancer comes to web services by other ports; all others have theirs on the server.
  if (service.port == 22 && service.type != ServiceType::web) {
    reader.report(path + ".port", "port 22 is SSH's on its server",
                  "have it listen on another port, such as 2222");
  }
  if (service.volume && !keeps_data(service.type)) {
    reader.report(path + ".volume", fmt::format("type {} cannot have a volume", type),
                  "only db and cache keep data; servers of other types come and go");
  }
  if (service.credentials && !keeps_data(service.type)) {
    reader.report(path + ".credentials", fmt::format("type {} cannot have credentials", type),
                  "only db and cache have them; use env for other values");
  }
  if (service.scale.max > 1 && keeps_data(service.type) && !reader.is_broken(path + ".scale")) {
    reader.report(path + ".scale", fmt::format("type {} has one server", type),
                  "remove scale; only web and worker can have more");
  }
  if (service.scale.warm > 0 && keeps_data(service.type) &&
      !reader.is_broken(path + ".scale.warm")) {
    reader.report(path + ".scale.warm",
                  fmt::format("type {} has one server, which is never warm", type),
                  "remove warm; only web and worker can have servers in reserve");
  }
  if (!service.health.path.empty() && service.type != ServiceType::web) {
    reader.report(path + ".health.path", fmt::format("type {} is not asked over HTTP", type),
                  "remove path; whether its port accepts connections is looked at instead");
  }
  check_balanced(reader, service);
  if (!service.allow.empty() && !service.port && !reader.is_broken(path + ".port")) {
    reader.report(path + ".allow", "there is no port to let anybody in to", "give port as well");
  }
}

/// The longest is the volume's name, STACK-SERVICE-N and a little more, at most 64 in the API.
void check_name_length(Reader& reader, const Stack& stack, const Service& service) {
  constexpr std::size_t limit = 50;
  const auto length = stack.name.size() + service.name.size();
  const auto path = service_path(service);
  if (length <= limit || reader.is_broken("stack") || stack.name.empty()) return;
  if (service.name.size() > 30) return;
  reader.report(path,
                fmt::format("the names of stack and service have {} characters together", length),
                fmt::format("servers are named STACK-SERVICE-N: use at most {}", limit));
}

/// A rotation takes `set`, then `retire`; with one user `set` alone may be all that is needed.
void check_rotation(Reader& reader, const Credentials& credentials, const std::string& path) {
  if (reader.is_broken(path + ".set") || reader.is_broken(path + ".retire")) return;
  if (!credentials.retire.empty() && credentials.set.empty()) {
    reader.report(path + ".retire", "there is no program that sets a new password before it",
                  "give set as well");
  }
  if (!credentials.other_user.empty() && credentials.retire.empty()) {
    reader.report(path + ".user",
                  "nothing makes the password of one fail when it is the other's turn",
                  "give set and retire as well, or one user");
  }
}

void check_credentials(Reader& reader, const Service& service) {
  if (!service.credentials) return;
  const auto whole = service_path(service) + ".credentials";
  check_rotation(reader, *service.credentials, whole);
  const auto path = whole + ".env";
  std::vector<std::string> known = {"password"};
  if (!service.credentials->user.empty()) known.emplace_back("user");
  if (!service.credentials->database.empty()) known.emplace_back("database");
  for (const auto& [name, value] : service.credentials->env) {
    check_template(reader, path + "." + name, value, known);
    if (service.env.find(name) != service.env.end()) {
      reader.report(path + "." + name, fmt::format("{} is in env as well", name),
                    "keep one of the two");
    }
  }
}

std::string placeholder_hint(const std::string& name, const std::vector<std::string>& known) {
  if (name == "password") return "the service that is linked to has no credentials";
  if (name == "user" || name == "database") {
    return fmt::format("give credentials a {} to have one", name);
  }
  if (text::nearest(name, known)) return suggest(name, known, "the placeholders");
  return suggest(name, known, "the placeholders") + "; {{ and }} stand for single braces";
}

void check_platforms(Reader& reader, const Stack& stack) {
  for (const auto& [name, image] : stack.images) {
    const auto path = fmt::format("images.{}.platform", show_key(name));
    if (image.platform.empty() || can_run(stack.cloud, image.platform)) continue;
    if (reader.is_broken(path) || reader.is_broken("cloud")) continue;
    reader.report(path, fmt::format("DigitalOcean has no servers of {}", image.platform),
                  "its droplets are linux/amd64");
  }
}

}  // namespace

std::string service_path(const Service& service) { return "services." + show_key(service.name); }

void check_template(Reader& reader, const std::string& path, const std::string& value,
                    const std::vector<std::string>& known) {
  const auto found = placeholders(value);
  for (const auto& name : found.names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    reader.report(path, fmt::format("there is no value for {{{}}}", show_key(name)),
                  placeholder_hint(name, known));
  }
  if (!found.closed) {
    reader.report(path, "a brace has no partner", "write {{ or }} for a single brace");
  }
}

void check(Reader& reader, const Stack& stack) {
  for (const auto& service : stack.services) {
    const auto path = service_path(service);
    check_image(reader, stack, service);
    check_name_length(reader, stack, service);
    check_credentials(reader, service);
    if (!reader.is_broken(path + ".type")) check_parts(reader, service);
  }
  check_platforms(reader, stack);
  check_links(reader, stack);
  check_load_balancer(reader, stack);
  check_tls(reader, stack);
  check_firewalls(reader, stack);
}

}  // namespace paas::stack
