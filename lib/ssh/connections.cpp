// Implementation of opening, checking and closing connections with OpenSSH's control sockets.
#include "ssh/connections.hpp"

#include <fmt/format.h>

#include <random>

#include "base/text.hpp"
#include "ssh/connection_state.hpp"
#include "ssh/failure.hpp"

namespace paas::ssh {
namespace {

/// An idle master whose paasctl was killed goes away after this.
constexpr int master_idle_seconds = 300;
/// A unix socket's path takes 107 bytes, and the client binds PATH.XXXXXXXXXXXXXXXX first.
constexpr std::size_t control_path_limit_bytes = 107 - 17;
constexpr std::chrono::milliseconds check_interval{2000};
constexpr std::chrono::milliseconds control_timeout{5000};
constexpr std::chrono::milliseconds await_interval{250};

/// A path as the value of a client's option: no spaces that split it, no % that is expanded.
std::string option_path(const std::string& path) {
  return fmt::format("\"{}\"", text::replace_all(path, "%", "%%"));
}

/// The algorithms that prove a key of the pinned type, so that the server shows that one.
std::string host_key_algorithms(const std::string& host_key) {
  const auto type = host_key.substr(0, host_key.find(' '));
  return type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type;
}

std::string known_hosts(const Host& host) {
  std::string lines;
  for (const auto& key : text::split(host.host_key, ';')) {
    lines += fmt::format("{} {}\n", host.name, key);
  }
  return lines;
}

}  // namespace

Connections::Connections(Processes& processes, Files& files, Clock& clock, Settings settings)
    : processes_(processes), files_(files), clock_(clock), settings_(std::move(settings)) {}

Connections::~Connections() {
  for (auto& [name, connection] : connections_) {
    const std::scoped_lock lock(connection->mutex);
    close(*connection);
  }
}

std::shared_ptr<Connections::Connection> Connections::connection_to(const Host& host) {
  const std::scoped_lock lock(mutex_);
  auto& connection = connections_[host.name];
  if (!connection) connection = std::make_shared<Connection>();
  return connection;
}

// The first value of an option counts: none of these can be changed by the user's configuration.
std::vector<std::string> Connections::options(const Route& route, Role role) const {
  std::vector<std::string> result{"ssh", "-T"};
  for (const auto& option : {
           fmt::format("ControlMaster={}", role == Role::master ? "yes" : "no"),
           fmt::format("ControlPath={}", option_path(route.control_socket)),
           fmt::format("User={}", settings_.user),
           fmt::format("Port={}", route.host.port),
           fmt::format("ConnectTimeout={}", settings_.connect_timeout.count()),
           fmt::format("HostKeyAlias={}", route.host.name),
           fmt::format("HostKeyAlgorithms={}", host_key_algorithms(route.host.host_key)),
           fmt::format("UserKnownHostsFile={}", option_path(route.known_hosts)),
           std::string("GlobalKnownHostsFile=/dev/null"),
           std::string("KnownHostsCommand=none"),
           std::string("StrictHostKeyChecking=yes"),
           std::string("CheckHostIP=no"),
           std::string("UpdateHostKeys=no"),
           std::string("VerifyHostKeyDNS=no"),
           std::string("BatchMode=yes"),
           std::string("PreferredAuthentications=publickey"),
           std::string("ServerAliveInterval=5"),
           std::string("ServerAliveCountMax=3"),
           std::string("LogLevel=ERROR"),
           std::string("ForwardAgent=no"),
           std::string("ForwardX11=no"),
           std::string("PermitLocalCommand=no"),
           std::string("RemoteCommand=none"),
           std::string("StreamLocalBindUnlink=yes"),
       }) {
    result.insert(result.end(), {"-o", option});
  }
  if (route.offer == Offer::stack_key && !settings_.identity_file.empty()) {
    result.insert(result.end(), {"-o", "IdentityFile=" + option_path(settings_.identity_file), "-o",
                                 "IdentitiesOnly=yes"});
  }
  return result;
}

Result<ProcessResult> Connections::control(const Route& route,
                                           const std::vector<std::string>& operation,
                                           OnStop on_stop) {
  ProcessRequest request;
  request.arguments = options(route, Role::guest);
  // A client that finds the master dying would log in by itself and call that a success. The first
  // value of an option counts, so this one has to come before the others.
  request.arguments.insert(request.arguments.begin() + 1, {"-o", "ProxyCommand=false"});
  request.arguments.insert(request.arguments.end(), operation.begin(), operation.end());
  request.arguments.insert(request.arguments.end(), {"--", route.host.address});
  request.timeout = control_timeout;
  request.on_stop = on_stop;
  return processes_.run(request);
}

bool Connections::alive(const Route& route) {
  const auto checked = control(route, {"-O", "check"}, OnStop::end);
  return checked && checked->exit_status == 0;
}

Result<Connections::Route> Connections::route(Connection& connection, const Host& host) {
  const std::scoped_lock lock(connection.mutex);
  if (connection.route && connection.route->host != host) close(connection);
  if (connection.route) {
    // A master that ended properly took its socket along; one that was killed did not, and
    // somebody who has not asked for a while should not hang on a socket that nobody serves.
    // Only a check counts: were each use one, a busy connection would never be checked.
    const auto now = clock_.monotonic();
    const auto socket = files_.info(connection.route->control_socket);
    if (socket && socket->has_value()) {
      if (connection.checked_at && now - *connection.checked_at < check_interval) {
        return *connection.route;
      }
      if (alive(*connection.route)) {
        connection.checked_at = now;
        return *connection.route;
      }
    }
    close(connection);
  }
  return open(connection, host);
}

Result<Connections::Route> Connections::open(Connection& connection, const Host& host) {
  std::random_device random;
  const auto stem = fmt::format("{}/{:08x}", settings_.runtime_folder, random());
  Route route{host, stem + ".s", stem + ".k", Offer::stack_key};
  if (route.control_socket.size() > control_path_limit_bytes) {
    return fail(ErrorKind::failed,
                fmt::format("the path {} is too long for a socket", route.control_socket),
                "set XDG_RUNTIME_DIR to a folder with a shorter path");
  }
  PAAS_CHECK(files_.make_directories(settings_.runtime_folder, 0700));
  PAAS_CHECK(files_.write_atomically(route.known_hosts, known_hosts(host), 0600));
  Error error;
  for (const auto offer : {Offer::stack_key, Offer::users_keys}) {
    route.offer = offer;
    ProcessRequest request;
    request.arguments = options(route, Role::master);
    const auto persist = fmt::format("ControlPersist={}", master_idle_seconds);
    request.arguments.insert(
        request.arguments.end(),
        {"-o", persist, "-o", "ClearAllForwardings=yes", "-N", "-f", "--", host.address});
    // The client's limit is for one address and one step; this one is for all of them.
    request.timeout = settings_.connect_timeout * 3;
    const auto result = processes_.run(request);
    if (!result) {
      error = result.error();
      if (error.kind == ErrorKind::timed_out) error = cut_off(host, error.message);
      break;
    }
    if (result->exit_status == 0) {
      connection.checked_at = clock_.monotonic();
      connection.route = route;
      return route;
    }
    error = connecting_failure(host, result->error_output);
    if (!key_was_refused(result->error_output)) break;
  }
  static_cast<void>(files_.remove(route.known_hosts));
  return fail(std::move(error));
}

void Connections::close(Connection& connection) {
  if (!connection.route) return;
  // Also during an interruption: a master must not stay behind. A failure means it has gone.
  static_cast<void>(control(*connection.route, {"-O", "exit"}, OnStop::finish));
  for (const auto& [remote, local] : connection.forwards) static_cast<void>(files_.remove(local));
  static_cast<void>(files_.remove(connection.route->control_socket));
  static_cast<void>(files_.remove(connection.route->known_hosts));
  connection.forwards.clear();
  connection.route.reset();
}

void Connections::close(const Host& host) {
  const auto connection = connection_to(host);
  const std::scoped_lock lock(connection->mutex);
  close(*connection);
}

Status Connections::await(const Host& host, std::chrono::milliseconds limit) {
  const auto deadline = clock_.monotonic() + limit;
  const auto connection = connection_to(host);
  while (true) {
    const auto way = route(*connection, host);
    if (way) return {};
    if (way.error().kind != ErrorKind::unreachable) return fail(way.error());
    if (clock_.monotonic() >= deadline) {
      return fail(ErrorKind::timed_out, fmt::format("{} did not answer within {}: {}", host.name,
                                                    text::duration(limit), way.error().message));
    }
    PAAS_CHECK(clock_.wait(await_interval));
  }
}

}  // namespace paas::ssh
