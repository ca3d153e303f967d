// Changes configurations that render() made, section by section.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/text.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/mark.hpp"
#include "haproxy/server_options.hpp"

namespace paas::haproxy {

namespace {

constexpr std::string_view server_prefix = "    server ";
constexpr std::string_view public_header = "frontend public";

/// FNV-1a. It only has to tell one configuration of ours from another, the same on every machine.
std::uint64_t digest_of(std::string_view text) {
  std::uint64_t digest = 0xcbf29ce484222325;
  for (const char c : text) {
    digest ^= static_cast<unsigned char>(c);
    digest *= 0x100000001b3;
  }
  return digest;
}

std::string without_mark(std::string_view configuration) {
  std::string result;
  for (const auto& line : text::lines(configuration)) {
    if (!line.starts_with("    description ")) result += line + '\n';
  }
  return result;
}

/// "backend frontend" with the lines up to the next section, without blank ones.
struct Section {
  std::string header;
  std::vector<std::string> lines;
};

/// What stands before the first section is one without a header.
std::vector<Section> sections_of(std::string_view configuration) {
  std::vector<Section> sections(1);
  for (auto& line : text::lines(configuration)) {
    if (text::trim(line).empty()) continue;
    if (line.starts_with(' ') || line.starts_with('#')) {
      sections.back().lines.push_back(std::move(line));
    } else {
      sections.push_back({std::move(line), {}});
    }
  }
  return sections;
}

std::string joined(const std::vector<Section>& sections) {
  std::string result;
  for (const auto& section : sections) {
    if (!result.empty()) result += '\n';
    if (!section.header.empty()) result += section.header + '\n';
    for (const auto& line : section.lines) result += line + '\n';
  }
  return result;
}

/// The public frontend and what only its rules use: of two configurations these are one's or the
/// other's together.
bool belongs_to_rules(std::string_view header) {
  return header == public_header ||
         (header.starts_with("backend ") && header.find('.') != std::string_view::npos);
}

constexpr std::string_view peers_header = "peers local";
constexpr std::string_view local_peer = "    localpeer lb";

template <typename Sections>
auto find(Sections& sections, const std::string& header) {
  return std::find_if(sections.begin(), sections.end(),
                      [&](const Section& section) { return section.header == header; });
}

/// Tables that one of two configurations has need the name by which processes know themselves.
void add_local_peer(std::vector<Section>& sections) {
  const auto global = find(sections, "global");
  if (global == sections.end() || find(sections, std::string(peers_header)) == sections.end())
    return;
  auto& lines = global->lines;
  if (std::find(lines.begin(), lines.end(), local_peer) == lines.end()) {
    lines.emplace_back(local_peer);
  }
}

/// Whether a rule's line asks a backend's table for a client by a key that the table no longer has.
bool asks_in_vain(const std::vector<Section>& sections, std::string_view line) {
  constexpr std::string_view ask = ",in_table(";
  const auto at = line.find(ask);
  if (at == std::string_view::npos) return false;
  const auto name = line.substr(at + ask.size(), line.find(')', at) - at - ask.size());
  const auto begin = line.rfind(' ', at) + 1;
  const auto key = "    stick on " + std::string(line.substr(begin, at - begin));
  const auto backend = find(sections, "backend " + std::string(name));
  return backend == sections.end() ||
         std::find(backend->lines.begin(), backend->lines.end(), key) == backend->lines.end();
}

/// The rules of now with the tables as wanted: HAProxy refuses to look into one that is not there.
void forget_tables(std::vector<Section>& sections) {
  const auto rules = find(sections, std::string(public_header));
  if (rules == sections.end()) return;
  auto& lines = rules->lines;
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [&, others = sections](const std::string& line) {
                               return asks_in_vain(others, line);
                             }),
              lines.end());
}

}  // namespace

std::string marked(const std::string& configuration) {
  constexpr std::string_view global = "\nglobal\n";
  auto result = without_mark(configuration);
  const auto place = result.find(global);
  // A text that is none of ours, or was damaged on the load balancer's disk.
  if (place == std::string::npos) return result;
  const auto digest = digest_of(without_servers(result));
  result.insert(place + global.size(), fmt::format("    description paas-{:016x}\n", digest));
  return result;
}

bool is_intact(std::string_view configuration) {
  const auto mark = mark_of(configuration);
  return !mark.empty() && mark_of(marked(std::string(configuration))) == mark;
}

std::set<std::string> rule_targets_of(std::string_view configuration) {
  std::set<std::string> targets;
  const auto sections = sections_of(configuration);
  const auto section = find(sections, std::string(public_header));
  if (section == sections.end()) return targets;
  for (const auto& line : section->lines) {
    const auto words = text::split(text::trim(line), ' ');
    if (words[0] != "use_backend" && words[0] != "default_backend") continue;
    // Names of services have no dot.
    if (words.size() > 1 && words[1].find('.') == std::string::npos) targets.insert(words[1]);
  }
  return targets;
}

std::string transition(std::string_view current, std::string_view wanted) {
  auto sections = sections_of(current);
  for (auto& next : sections_of(wanted)) {
    if (belongs_to_rules(next.header)) continue;
    const auto old = find(sections, next.header);
    if (old == sections.end()) {
      sections.push_back(std::move(next));
    } else {
      *old = std::move(next);
    }
  }
  add_local_peer(sections);
  forget_tables(sections);
  return marked(joined(sections));
}

std::string with_servers(std::string_view configuration, const std::string& backend,
                         const std::vector<Server>& servers) {
  auto sections = sections_of(configuration);
  const auto section = find(sections, "backend " + backend);
  if (section == sections.end()) return std::string(configuration);
  std::erase_if(section->lines,
                [](const std::string& line) { return line.starts_with(server_prefix); });
  for (const auto& server : servers) section->lines.push_back("    " + server_line(server));
  return joined(sections);
}

}  // namespace paas::haproxy
