// Judges links: what they lead to, circles, and variables that would hide each other.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/text.hpp"
#include "stack/check.hpp"
#include "stack/links.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

std::string link_path(const Service& service, std::size_t index) {
  return fmt::format("{}.links[{}]", service_path(service), index);
}

std::vector<std::string> linkable_names(const Stack& stack, const Service& from) {
  std::vector<std::string> names;
  for (const auto& service : stack.services) {
    if (service.name != from.name && service.type != ServiceType::worker) {
      names.push_back(service.name);
    }
  }
  return names;
}

/// Reports what is wrong with where a link leads; true when it leads somewhere.
bool check_target(Reader& reader, const Stack& stack, const Service& service, const Link& link,
                  const std::string& path) {
  if (link.to == service.name) {
    reader.report(path, "a service cannot link to itself", "remove the link");
    return false;
  }
  const auto* const target = find_service(stack, link.to);
  if (target == nullptr) {
    reader.report(path, fmt::format("there is no service {}", show_value(link.to)),
                  suggest(link.to, linkable_names(stack, service), "the services"));
    return false;
  }
  if (reader.is_broken(service_path(*target) + ".type")) return false;
  if (target->type == ServiceType::worker) {
    reader.report(path, fmt::format("{} is a worker, and nothing can connect to a worker", link.to),
                  "make it type: web with a port, or remove the link");
    return false;
  }
  if (target->type == ServiceType::web && !stack.lb && !reader.is_broken("lb")) {
    reader.report(
        path, fmt::format("{} is reached through the load balancer, and there is none", link.to),
        "add one, such as lb: {listen: [80]}");
  }
  return true;
}

void check_link_templates(Reader& reader, const Stack& stack, const Service& service) {
  for (std::size_t i = 0; i < service.links.size(); ++i) {
    const auto& link = service.links[i];
    const auto* const target = find_service(stack, link.to);
    if (target == nullptr || reader.is_broken(service_path(*target) + ".credentials")) continue;
    for (const auto& [name, value] : link.env) {
      check_template(reader, link_path(service, i) + ".env." + name, value,
                     link_placeholders(*target));
    }
  }
}

/// Each variable has one source, or a change of one would silently change the other.
void check_variables(Reader& reader, const Stack& stack, const Service& service) {
  std::map<std::string, std::string> sources;
  for (const auto& [name, value] : service.env) sources[name] = "env";
  if (service.credentials) {
    for (const auto& [name, value] : service.credentials->env) {
      sources.emplace(name, "credentials.env");
    }
  }
  for (std::size_t i = 0; i < service.links.size(); ++i) {
    const auto& link = service.links[i];
    const auto* const target = find_service(stack, link.to);
    if (target == nullptr || reader.is_broken(link_path(service, i))) continue;
    for (const auto& [name, value] : link_templates(*target, link)) {
      const auto [source, fresh] = sources.emplace(name, fmt::format("the link to {}", link.to));
      if (fresh) continue;
      const bool written = link.env.find(name) != link.env.end();
      reader.report(link_path(service, i) + (written ? ".env." + name : ""),
                    fmt::format("the link sets {}, and so does {}", name, source->second),
                    "rename or remove one of the two");
    }
  }
}

/// The services that each one links to; links that are wrong by themselves are left out.
std::map<std::string, std::vector<std::string>> edges(const Stack& stack) {
  std::map<std::string, std::vector<std::string>> result;
  for (const auto& service : stack.services) {
    for (const auto& link : service.links) {
      const auto* const target = find_service(stack, link.to);
      if (target != nullptr && target->type != ServiceType::worker && link.to != service.name) {
        result[service.name].push_back(link.to);
      }
    }
  }
  return result;
}

/// The shortest way from `start` back to itself, without the repeated end; empty: none.
std::vector<std::string> shortest_circle(
    const std::map<std::string, std::vector<std::string>>& graph, const std::string& start) {
  std::map<std::string, std::string> came_from;
  std::deque<std::string> waiting = {start};
  while (!waiting.empty()) {
    const auto at = waiting.front();
    waiting.pop_front();
    const auto found = graph.find(at);
    if (found == graph.end()) continue;
    for (const auto& next : found->second) {
      if (next == start) {
        std::vector<std::string> circle = {at};
        while (circle.back() != start) circle.push_back(came_from.at(circle.back()));
        std::reverse(circle.begin(), circle.end());
        return circle;
      }
      if (came_from.emplace(next, at).second) waiting.push_back(next);
    }
  }
  return {};
}

void check_circles(Reader& reader, const Stack& stack) {
  for (auto circle : forbidden_circles(stack)) {
    const auto& first = *find_service(stack, circle.front());
    const auto& next = circle.size() > 1 ? circle[1] : circle[0];
    const auto link = std::find_if(first.links.begin(), first.links.end(),
                                   [&](const Link& l) { return l.to == next; });
    circle.push_back(circle.front());
    reader.report(link_path(first, static_cast<std::size_t>(link - first.links.begin())),
                  fmt::format("links go in a circle: {}", text::join(circle, " -> ")),
                  "only web services may link in a circle; remove one of the links");
  }
}

}  // namespace

std::vector<std::vector<std::string>> forbidden_circles(const Stack& stack) {
  const auto graph = edges(stack);
  std::set<std::string> told;
  std::vector<std::vector<std::string>> result;
  for (const auto& service : stack.services) {
    if (service.type == ServiceType::web || told.count(service.name) != 0) continue;
    auto circle = shortest_circle(graph, service.name);
    if (circle.empty()) continue;
    told.insert(circle.begin(), circle.end());
    result.push_back(std::move(circle));
  }
  return result;
}

void check_links(Reader& reader, const Stack& stack) {
  for (const auto& service : stack.services) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < service.links.size(); ++i) {
      const auto& link = service.links[i];
      const auto path = link_path(service, i);
      if (link.to.empty() || reader.is_broken(path)) continue;
      if (!check_target(reader, stack, service, link, path)) continue;
      if (!seen.insert(link.to).second) {
        reader.report(path, fmt::format("a second link to {}", link.to),
                      "one link can set several variables: put them into its env");
      }
    }
    check_link_templates(reader, stack, service);
    check_variables(reader, stack, service);
  }
  check_circles(reader, stack);
}

}  // namespace paas::stack
