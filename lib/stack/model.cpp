// Looks things up in a stack and names its kinds.
#include "stack/model.hpp"

#include <algorithm>

namespace paas::stack {

const Service* find_service(const Stack& stack, const std::string& name) {
  const auto found = std::find_if(stack.services.begin(), stack.services.end(),
                                  [&](const Service& service) { return service.name == name; });
  return found == stack.services.end() ? nullptr : &*found;
}

bool leads_to(const Rule& rule, const std::string& service) { return rule.to == service; }

std::string to_text(ServiceType type) {
  switch (type) {
    case ServiceType::web:
      return "web";
    case ServiceType::worker:
      return "worker";
    case ServiceType::db:
      return "db";
    case ServiceType::cache:
      return "cache";
  }
  return "web";
}

std::string to_text(CloudKind kind) {
  switch (kind) {
    case CloudKind::digitalocean:
      return "digitalocean";
    case CloudKind::local:
      return "local";
  }
  return "digitalocean";
}

}  // namespace paas::stack
