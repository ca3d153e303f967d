// Renders the load balancer of whatever is a stack file.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "fuzz/property.hpp"
#include "fuzz/targets.hpp"
#include "haproxy/configuration.hpp"
#include "stack/parse.hpp"
#include "stack/values.hpp"

namespace paas::fuzz {

namespace {

/// What a lockfile adds to the stack: ports that nothing else has, and servers.
haproxy::Setup setup_of(const stack::Stack& stack) {
  haproxy::Setup setup;
  setup.stack = stack.name;
  setup.listen = stack.lb->listen;
  setup.private_address = "10.1.0.2";
  setup.rules = stack.lb->rules;
  setup.traffic = stack.lb->traffic;
  int port = 20000;
  for (const auto& service : stack.services) {
    if (service.type != stack::ServiceType::web) continue;
    const auto& taken = setup.listen;
    do ++port;
    while (std::find(taken.begin(), taken.end(), port) != taken.end());
    haproxy::Backend backend{service.name,
                             service.health.path,
                             service.health.interval_ms,
                             service.health.timeout_ms,
                             port,
                             {}};
    backend.servers = {{service.name + "-1.r1", "10.1.0.3", 20010}, {"b.r2", "fd00::5", 20011}};
    backend.sticky = service.sticky;
    backend.answer_timeout_ms = service.answer_timeout_ms;
    backend.max_connections = service.max_connections;
    setup.backends.push_back(std::move(backend));
  }
  return setup;
}

void neutralise(stack::Rule& rule) {
  if (!rule.host.empty()) rule.host = rule.host.starts_with("*.") ? "*.a" : "a";
  if (rule.path.size() > 1) rule.path = rule.path.ends_with('/') ? "/a/" : "/a";
  if (!rule.exact.empty()) rule.exact = "/a";
  for (auto& method : rule.methods) method = "GET";
  for (auto& [name, value] : rule.headers) value = "v";
  if (rule.redirect) rule.redirect->to = keeps_path(*rule.redirect) ? "https://a" : "/a";
}

/// The same structure without a word of the file's author.
haproxy::Setup neutral(haproxy::Setup setup) {
  for (auto& rule : setup.rules) neutralise(rule);
  for (auto& backend : setup.backends) {
    backend.health_path = "/a";
    if (backend.sticky && !backend.sticky->name.empty()) backend.sticky->name = "a";
  }
  if (!setup.traffic.health.empty()) setup.traffic.health = "/a";
  if (!setup.traffic.maintenance.html.empty()) setup.traffic.maintenance.html = "a";
  for (auto& type : setup.traffic.compression) type = "a/b";
  for (auto& range : setup.traffic.trusted_proxies) range = "10.0.0.0/8";
  return setup;
}

std::string first_word(const std::string& line) {
  const auto words = text::split(text::trim(line), ' ');
  return line.starts_with(' ') ? "    " + words[0] : line;
}

std::ptrdiff_t words_of(const std::string& line) {
  bool is_quoted = false;
  return std::count_if(line.begin(), line.end(), [&](char c) {
    is_quoted ^= c == '"';
    return c == ' ' && !is_quoted;
  });
}

/// Line by line the same directives, and the same sections.
void check_structure(const std::string& configuration, const std::string& meant) {
  const auto lines = text::lines(configuration);
  const auto other = text::lines(meant);
  demand(lines.size() == other.size(), "a value adds or hides a line");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines[i];
    demand(first_word(line) == first_word(other[i]), "a value makes another directive: " + line);
    demand(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }),
           "a line has a character that is not printable");
    // HAProxy refuses a line of more than 64 words; a page is quoted, and is one of them.
    demand(words_of(line) < 64, "a line has too many words: " + line);
    const bool has_page = line.find(" return status 503 ") != std::string::npos;
    demand(line.size() < (has_page ? 4 * stack::page_bytes_max + 400 : 2048),
           "a line is too long: " + line);
  }
}

std::set<std::string> targets(const haproxy::Setup& setup) {
  std::set<std::string> result;
  for (const auto& rule : setup.rules) {
    for (auto& target : targets_of(rule)) result.insert(std::move(target));
    if (matches_everything(rule)) break;
  }
  return result;
}

void check_round_trip(const haproxy::Setup& setup, const std::string& configuration) {
  demand(haproxy::servers_of(configuration) == setup.backends, "a backend is read otherwise");
  demand(haproxy::rule_targets_of(configuration) == targets(setup), "rules lead elsewhere");
  demand(haproxy::is_intact(configuration), "it seems to be edited");
  demand(haproxy::transition(configuration, configuration) == configuration,
         "from itself to itself is a way");
  for (const auto& backend : setup.backends) {
    const auto without = haproxy::with_servers(configuration, backend.name, {});
    demand(haproxy::with_servers(without, backend.name, backend.servers) == configuration,
           "servers that are put back make a difference");
  }
  auto emptied = setup;
  for (auto& backend : emptied.backends) backend.servers.clear();
  demand(haproxy::without_servers(*haproxy::render(emptied)) ==
             haproxy::without_servers(configuration),
         "servers are in more than their lines");
}

}  // namespace

void haproxy_configuration(std::string_view input) {
  const auto parsed = stack::parse(input);
  if (!parsed.problems.empty() || !parsed.stack.lb) return;
  const auto setup = setup_of(parsed.stack);
  const auto configuration = haproxy::render(setup);
  demand(configuration.has_value(), configuration ? ""
                                                  : "what the stack file may say is refused: " +
                                                        configuration.error().message);
  demand(*haproxy::render(setup) == *configuration, "it is another one each time");
  const auto meant = haproxy::render(neutral(setup));
  demand(meant.has_value(), meant ? "" : "harmless values are refused: " + meant.error().message);
  check_structure(*configuration, *meant);
  check_round_trip(setup, *configuration);
}

}  // namespace paas::fuzz
