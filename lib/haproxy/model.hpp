// What a load balancer shall serve: addresses to listen on, rules, backends and their servers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stack/model.hpp"

namespace paas::haproxy {

/// One container that answers, named after the server and the release: "zipkick-web-3.r2".
struct Server {
  std::string name;
  std::string address;
  int port = 0;
  friend bool operator==(const Server&, const Server&) = default;
};

/// One web service.
struct Backend {
  std::string name;  ///< The service's name.
  std::string health_path;
  int health_interval_ms = 2000;
  int health_timeout_ms = 2000;
  /// Port under which dependents inside the VPC reach it.
  int internal_port = 0;
  std::vector<Server> servers;
  std::optional<stack::Sticky> sticky = {};
  std::optional<int> answer_timeout_ms = {};
  std::optional<int> max_connections = {};  ///< Of each server.
  /// By release: what servers whose names end in ".rN" are asked for instead, while they change
  /// over to containers that answer at the new path.
  std::map<int, std::string> older_paths = {};
  friend bool operator==(const Backend&, const Backend&) = default;
};

/// https on the public frontend. Certificates are not part of the configuration (certificates.hpp).
struct Tls {
  std::vector<int> listen;  ///< Redirects lead to the first.
  bool redirect = true;
  std::optional<stack::Hsts> hsts;
  /// Whether an ACME client on the load balancer answers the authority, on challenge_port.
  bool answers_challenges = false;
  friend bool operator==(const Tls&, const Tls&) = default;
};

struct Setup {
  std::string stack;
  std::vector<int> listen;      ///< On every address of the load balancer.
  std::string private_address;  ///< Internal ports are bound to it only.
  std::vector<stack::Rule> rules;
  std::vector<Backend> backends;
  std::optional<Tls> tls = {};
  stack::Traffic traffic = {};
  friend bool operator==(const Setup&, const Setup&) = default;
};

}  // namespace paas::haproxy
