// Reads the logins at registries.
#include <fmt/format.h>

#include "stack/read_stack.hpp"

namespace paas::stack {

namespace {

Registry read_registry(Reader& reader, const Field& field) {
  Registry registry;
  const auto fields = reader.fields(field, {"username", "password"});
  if (fields.contains("username")) {
    read_text(reader, fields, "username", parse_plain_text, registry.username);
  } else {
    reader.missing(field, "username", "name the user, or what the registry wants in its place");
  }
  if (const auto password = fields.find("password"); password != fields.end()) {
    registry.password = read_secret_source(reader, password->second);
  } else {
    reader.missing(field, "password",
                   "say where it is, such as password: {env: REGISTRY_PASSWORD}");
  }
  return registry;
}

}  // namespace

std::map<std::string, Registry> read_registries(Reader& reader, const Field& field) {
  std::map<std::string, Registry> result;
  for (const auto& [host, registry] : reader.entries(field)) {
    const auto accepted = reader.accept(registry, parse_registry_host(host));
    auto login = read_registry(reader, registry);
    if (accepted) result[*accepted] = std::move(login);
  }
  return result;
}

}  // namespace paas::stack
