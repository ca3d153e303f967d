// Reads back what render() wrote: the part that needs a reload, and the servers.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.hpp"
#include "haproxy/configuration.hpp"

namespace paas::haproxy {

namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (auto& word : text::split(line, ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

/// The word that follows `key`; empty when there is none.
std::string_view value_after(const std::vector<std::string>& words, std::string_view key) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == key) return words[i + 1];
  }
  return {};
}

/// "2000ms" -> 2000.
std::optional<int> to_milliseconds(std::string_view text) {
  if (!text.ends_with("ms")) return std::nullopt;
  text.remove_suffix(2);
  int value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

struct Endpoint {
  std::string address;
  int port = 0;
};

/// "10.1.0.5:20000", "[fd00::5]:20000".
std::optional<Endpoint> to_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = text::to_integer(text.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  auto address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  return Endpoint{std::string(address), static_cast<int>(*port)};
}

/// "3600s" -> 3600; zero when it is not that.
int to_seconds(std::string_view text) {
  if (!text.ends_with('s')) return 0;
  const auto value = text::to_integer(text.substr(0, text.size() - 1));
  return static_cast<int>(value.value_or(0));
}

/// "src", "req.cook(SESSION),sha1", "req.fhdr(x-user),sha1"
void read_sticky_key(stack::Sticky& sticky, std::string_view key) {
  const auto open = key.find('(');
  if (open == std::string_view::npos) return;
  sticky.by = key.starts_with("req.cook") ? stack::Sticky::By::cookie : stack::Sticky::By::header;
  sticky.name = key.substr(open + 1, key.find(')', open) - open - 1);
}

constexpr std::string_view checks_line = "    http-check send ";
constexpr std::string_view after_path = "')";

/// The parts between `begin` and "')" of a text.
std::vector<std::string_view> parts_between(std::string_view text, std::string_view begin) {
  std::vector<std::string_view> parts;
  for (auto at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at)) {
    at += begin.size();
    parts.push_back(text.substr(at, text.find(after_path, at) - at));
  }
  return parts;
}

/// The paths of `uri-lf "%[srv_name,regsub('^.*[.]r1\$','/old'),regsub('^[^/].*\$','/new')]"`.
void read_paths(Backend& backend, std::string_view text) {
  for (const auto& part : parts_between(text, "regsub('")) {
    const auto path = part.substr(std::min(part.size(), part.find("','") + 3));
    constexpr std::string_view older = "^.*[.]r";
    const auto release = text::to_integer(
        part.starts_with(older) ? part.substr(older.size(), part.find('\\') - older.size()) : "");
    if (release) {
      backend.older_paths[static_cast<int>(*release)] = path;
    } else {
      backend.health_path = path;
    }
  }
}

/// What a line of a backend's section says of it.
void read_backend_line(Backend& backend, const std::vector<std::string>& words) {
  if (words[0] == "http-check" && words[1] == "send") {
    backend.health_path = value_after(words, "uri");
    read_paths(backend, value_after(words, "uri-lf"));
  } else if (words[0] == "timeout" && words[1] == "check" && words.size() > 2) {
    backend.health_timeout_ms = to_milliseconds(words[2]).value_or(backend.health_timeout_ms);
  } else if (words[0] == "timeout" && words[1] == "server" && words.size() > 2) {
    backend.answer_timeout_ms = to_milliseconds(words[2]);
  } else if (words[0] == "stick-table") {
    backend.sticky.emplace().keep_seconds = to_seconds(value_after(words, "expire"));
  } else if (words[0] == "stick" && words[1] == "on" && words.size() > 2 && backend.sticky) {
    read_sticky_key(*backend.sticky, words[2]);
  } else if (words[0] == "default-server") {
    backend.health_interval_ms =
        to_milliseconds(value_after(words, "inter")).value_or(backend.health_interval_ms);
    if (const auto limit = text::to_integer(value_after(words, "maxconn"))) {
      backend.max_connections = static_cast<int>(*limit);
    }
  } else if (words[0] == "server" && words.size() > 2) {
    if (auto endpoint = to_endpoint(words[2])) {
      backend.servers.push_back({words[1], std::move(endpoint->address), endpoint->port});
    }
  }
}

enum class SectionKind { other, internal_frontend, backend };

}  // namespace

std::string without_servers(std::string_view configuration) {
  std::string result;
  for (const auto& line : text::lines(configuration)) {
    const auto words = words_of(line);
    if (!words.empty() && words[0] == "server") continue;
    // Whose containers are asked for another path follows from which servers there are.
    const auto paths = line.starts_with(checks_line) ? value_after(words, "uri-lf") : "";
    if (paths.empty()) {
      result += line + '\n';
      continue;
    }
    Backend backend;
    read_paths(backend, paths);
    result +=
        text::replace_all(line, fmt::format("uri-lf {}", paths), "uri " + backend.health_path);
    result += '\n';
  }
  return result;
}

std::string mark_of(std::string_view configuration) {
  for (const auto& line : text::lines(configuration)) {
    const auto words = words_of(line);
    if (words.size() == 2 && words[0] == "description") return words[1];
  }
  return "";
}

std::string mark_in_info(std::string_view info) {
  constexpr std::string_view key = "description: ";
  for (const auto& line : text::lines(info)) {
    if (line.starts_with(key)) return std::string(text::trim(line.substr(key.size())));
  }
  return "";
}

std::vector<Backend> servers_of(std::string_view configuration) {
  constexpr std::string_view internal_prefix = "internal.";
  std::vector<Backend> backends;
  std::vector<std::pair<std::string, int>> internal_ports;
  auto section = SectionKind::other;
  for (const auto& line : text::lines(configuration)) {
    const auto words = words_of(line);
    if (words.empty() || words[0].starts_with('#')) continue;
    if (!line.starts_with(' ')) {
      section = SectionKind::other;
      if (words.size() < 2) continue;
      const std::string_view name = words[1];
      if (words[0] == "frontend" && name.starts_with(internal_prefix)) {
        section = SectionKind::internal_frontend;
        internal_ports.emplace_back(name.substr(internal_prefix.size()), 0);
      } else if (words[0] == "backend" && name.find('.') == std::string_view::npos) {
        section = SectionKind::backend;
        backends.emplace_back().name = name;
      }
    } else if (words.size() > 1 && section == SectionKind::backend) {
      read_backend_line(backends.back(), words);
    } else if (words.size() > 1 && section == SectionKind::internal_frontend &&
               words[0] == "bind") {
      if (const auto endpoint = to_endpoint(words[1]))
        internal_ports.back().second = endpoint->port;
    }
  }
  for (auto& backend : backends) {
    for (const auto& [name, port] : internal_ports) {
      if (name == backend.name) backend.internal_port = port;
    }
  }
  return backends;
}

}  // namespace paas::haproxy
