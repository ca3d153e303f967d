// Allowlists for the values of a load balancer's configuration.
#include "haproxy/values.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "haproxy/allowlist.hpp"

namespace paas::haproxy {

namespace {

/// A name begins with a letter or a digit, so that it is never read as an option.
bool is_name(std::string_view name, std::string_view others) {
  return !name.empty() && name.size() <= name_limit && is_alphanumeric(name.front()) &&
         only(name, others);
}

/// The value as it may be shown: control characters would garble the terminal.
std::string shown(std::string_view value) {
  std::string result;
  for (const char c : value.substr(0, 80)) result += c >= ' ' && c <= '~' ? c : '?';
  return result;
}

tl::unexpected<Error> refuse_port(std::string_view what, int port) {
  return refuse(what, std::to_string(port));
}

Status check(const Backend& backend) {
  if (!is_backend_name(backend.name)) return refuse("backend name", backend.name);
  const auto in_backend = [&](Error error) {
    return fail(std::move(error), fmt::format("backend '{}'", backend.name));
  };
  if (!backend.health_path.empty() && !is_health_path(backend.health_path)) {
    return in_backend(refuse("health path", backend.health_path).value());
  }
  for (const auto& [release, path] : backend.older_paths) {
    if (!is_health_path(path)) return in_backend(refuse("health path", path).value());
    if (release <= 0) return in_backend(refuse_port("release", release).value());
  }
  if (backend.health_interval_ms <= 0) {
    return in_backend(refuse_port("health interval", backend.health_interval_ms).value());
  }
  if (backend.health_timeout_ms <= 0) {
    return in_backend(refuse_port("health timeout", backend.health_timeout_ms).value());
  }
  for (const auto& number : {backend.answer_timeout_ms, backend.max_connections}) {
    if (number && *number <= 0) return in_backend(refuse_port("limit", *number).value());
  }
  if (backend.sticky) {
    if (auto status = haproxy::check(*backend.sticky); !status)
      return in_backend(std::move(status.error()));
  }
  std::set<std::string> names;
  for (const auto& server : backend.servers) {
    if (auto status = check(server); !status) return in_backend(std::move(status.error()));
    if (!names.insert(server.name).second) {
      return in_backend(refuse("second server of the name", server.name).value());
    }
  }
  return {};
}

/// A port is bound once: `haproxy -c` passes a duplicate bind, and the kernel would then spread
/// connections over both or give them all to the more specific one.
Status check_ports(const Setup& setup) {
  std::set<int> ports;
  auto listened = setup.listen;
  if (setup.tls) {
    if (setup.tls->listen.empty()) return fail(ErrorKind::invalid, "no port for https");
    listened.insert(listened.end(), setup.tls->listen.begin(), setup.tls->listen.end());
  }
  for (const int port : listened) {
    if (!is_port(port)) return refuse_port("port", port);
    if (!ports.insert(port).second) return refuse_port("second use of port", port);
  }
  for (const auto& backend : setup.backends) {
    if (backend.internal_port == 0) continue;
    if (!is_port(backend.internal_port)) return refuse_port("internal port", backend.internal_port);
    if (!ports.insert(backend.internal_port).second) {
      return refuse_port("second use of port", backend.internal_port);
    }
    if (!is_address(setup.private_address)) {
      return refuse("private address", setup.private_address);
    }
  }
  return {};
}

}  // namespace

tl::unexpected<Error> refuse(std::string_view what, std::string_view value) {
  return fail(ErrorKind::invalid,
              fmt::format("the load balancer's {} '{}' is not allowed", what, shown(value)));
}

bool is_backend_name(std::string_view name) { return is_name(name, "-_"); }
bool is_server_name(std::string_view name) { return is_name(name, "-_."); }

bool is_address(std::string_view address) {
  const std::string text(address);
  in6_addr parsed{};
  return text.find('\0') == std::string::npos && (inet_pton(AF_INET, text.c_str(), &parsed) == 1 ||
                                                  inet_pton(AF_INET6, text.c_str(), &parsed) == 1);
}

bool is_port(int port) { return port >= 1 && port <= 65535; }

std::string endpoint(std::string_view address, int port) {
  const bool is_ipv6 = address.find(':') != std::string_view::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

Status check(const Server& server) {
  if (!is_server_name(server.name)) return refuse("server name", server.name);
  if (!is_address(server.address)) return refuse("server address", server.address);
  if (!is_port(server.port)) return refuse_port("server port", server.port);
  return {};
}

Status check(const Setup& setup) {
  if (!is_backend_name(setup.stack)) return refuse("stack name", setup.stack);
  std::set<std::string> names;
  for (const auto& backend : setup.backends) {
    PAAS_CHECK(check(backend));
    if (!names.insert(backend.name).second) {
      return refuse("second backend of the name", backend.name);
    }
  }
  for (const auto& rule : setup.rules) PAAS_CHECK(check(rule, names));
  PAAS_CHECK(check(setup.traffic));
  return check_ports(setup);
}

}  // namespace paas::haproxy
