// Walks the tree and words what is wrong in it.
#include "stack/reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

std::string_view describe(const yaml::Node& node) {
  switch (node.kind) {
    case yaml::Kind::null:
      return "nothing";
    case yaml::Kind::scalar:
      return "text";
    case yaml::Kind::sequence:
      return "a list";
    case yaml::Kind::map:
      return "a map";
  }
  return "nothing";
}

/// What people who know other tools write, and what it is called here.
std::optional<std::string> synonym(std::string_view key, const std::vector<std::string>& keys) {
  static const std::map<std::string_view, std::string_view> words = {
      {"environment", "env"},    {"variables", "env"},       {"depends_on", "links"},
      {"depends", "links"},      {"replicas", "scale"},      {"instances", "scale"},
      {"count", "scale"},        {"load_balancer", "lb"},    {"loadbalancer", "lb"},
      {"healthcheck", "health"}, {"health_check", "health"}, {"name", "stack"},
      {"provider", "cloud"},     {"entrypoint", "command"},  {"cmd", "command"},
      {"context", "build"},      {"from", "pull"},           {"ingress", "lb"},
      {"routes", "rules"},       {"firewall", "allow"},      {"username", "user"},
      {"ports", "port"},         {"volumes", "volume"},      {"start_period", "start_timeout"},
      {"storage", "volume"},     {"db", "database"},         {"service", "to"},
      {"backend", "to"},         {"protocol", "scheme"},     {"kind", "type"},
      {"droplet_size", "size"},  {"maximum", "max"},         {"minimum", "min"},
  };
  const auto found = words.find(key);
  if (found == words.end()) return std::nullopt;
  const std::string word(found->second);
  if (std::find(keys.begin(), keys.end(), word) == keys.end()) return std::nullopt;
  return word;
}

std::string child_path(const std::string& path, const std::string& key) {
  return path.empty() ? show_key(key) : path + "." + show_key(key);
}

}  // namespace

Reader::Reader(std::string_view text, std::vector<Problem> problems)
    : lines_(text), problems_(std::move(problems)) {}

void Reader::report(const std::string& path, std::string message, std::string hint) {
  Problem problem{0, 0, path, std::move(message), std::move(hint)};
  auto place = path;
  auto found = places_.find(place);
  while (found == places_.end() && !place.empty()) {
    const auto cut = place.find_last_of(".[");
    place = place.substr(0, cut == std::string::npos ? 0 : cut);
    found = places_.find(place);
  }
  if (found != places_.end()) {
    const auto position = lines_.at(found->second);
    problem.line = position.line;
    problem.column = position.column;
  }
  broken_.insert(path);
  problems_.push_back(std::move(problem));
}

void Reader::missing(const Field& map, const std::string& key, std::string hint) {
  if (map.node->kind == yaml::Kind::map) missing(child_path(map.path, key), std::move(hint));
}

void Reader::missing(const std::string& path, std::string hint) {
  broken_.insert(path);
  for (auto end = path.size(); end != std::string::npos; end = path.rfind('.', end - 1)) {
    if (misspelt_.count(path.substr(0, end)) != 0) return;
  }
  report(path, "is missing", std::move(hint));
}

bool Reader::is_broken(const std::string& path) const {
  for (auto at = broken_.lower_bound(path); at != broken_.end(); ++at) {
    if (at->compare(0, path.size(), path) != 0) return false;
    if (at->size() == path.size() || (*at)[path.size()] == '.' || (*at)[path.size()] == '[') {
      return true;
    }
  }
  return false;
}

int Reader::line_of(const std::string& path) const {
  const auto found = places_.find(path);
  return found == places_.end() ? 0 : lines_.at(found->second).line;
}

std::vector<Problem> Reader::take() && {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return std::move(problems_);
}

Field Reader::root(yaml::NodePtr node) {
  visit("", node->offset);
  return {std::move(node), ""};
}

void Reader::wrong_kind(const Field& field, std::string_view wanted) {
  if (field.node->kind == yaml::Kind::null) {
    report(field.path, "has no value", fmt::format("give it {}, or remove the key", wanted));
  } else {
    report(field.path, fmt::format("must be {}, not {}", wanted, describe(*field.node)));
  }
}

std::vector<std::pair<std::string, Field>> Reader::entries(const Field& map) {
  std::vector<std::pair<std::string, Field>> result;
  if (map.node->kind != yaml::Kind::map) {
    wrong_kind(map, "a map of \"key: value\"");
    return result;
  }
  std::set<std::string_view> seen;
  for (const auto& entry : map.node->entries) {
    // The second one of the same key was reported when the tree was read.
    if (!seen.insert(entry.key).second) continue;
    Field field{entry.value, child_path(map.path, entry.key)};
    // A map or a list is shown at its key, text at itself.
    const bool at_value = entry.value->kind == yaml::Kind::scalar;
    visit(field.path, at_value ? entry.value->offset : entry.key_offset);
    result.emplace_back(entry.key, std::move(field));
  }
  return result;
}

Fields Reader::fields(const Field& map, const std::vector<std::string>& keys) {
  Fields result;
  if (map.node->kind != yaml::Kind::map) {
    wrong_kind(map, "a map of \"key: value\"");
    return result;
  }
  for (auto& [key, field] : entries(map)) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      result.emplace(key, std::move(field));
      continue;
    }
    auto meant = synonym(key, keys);
    if (!meant) meant = text::nearest(key, keys);
    if (meant) misspelt_.insert(child_path(map.path, *meant));
    // An unknown key is shown at itself, not at its value.
    places_[field.path] = yaml::find(*map.node, key)->key_offset;
    report(field.path, "unknown key", suggest(meant.value_or(key), keys, "the keys here"));
  }
  return result;
}

std::vector<Field> Reader::items(const Field& list) {
  std::vector<Field> result;
  if (list.node->kind != yaml::Kind::sequence) {
    wrong_kind(list, "a list");
    return result;
  }
  for (const auto& item : list.node->items) {
    Field field{item, fmt::format("{}[{}]", list.path, result.size())};
    visit(field.path, item->offset);
    result.push_back(std::move(field));
  }
  return result;
}

std::optional<std::string> Reader::text(const Field& field) {
  if (field.node->kind == yaml::Kind::scalar) return field.node->value;
  wrong_kind(field, "text");
  return std::nullopt;
}

std::optional<std::string> Reader::plain(const Field& field, std::string_view wanted) {
  if (field.node->kind != yaml::Kind::scalar) {
    wrong_kind(field, wanted);
    return std::nullopt;
  }
  if (field.node->style != yaml::Style::plain) {
    report(field.path, fmt::format("must be {}, not text", wanted), "remove the quotes");
    return std::nullopt;
  }
  return field.node->value;
}

std::optional<int> Reader::integer(const Field& field, int min, int max) {
  const auto written = plain(field, "a number");
  if (!written) return std::nullopt;
  const auto value = accept(field, parse_integer(*written, min, max));
  return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
}

}  // namespace paas::stack
