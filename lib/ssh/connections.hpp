// Shared OpenSSH connections to servers: commands, files and forwarded sockets over them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/clock.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"

namespace paas::ssh {

/// A server as the SSH client has to know it.
struct Host {
  std::string name;     ///< Server name; host keys are pinned under it (HostKeyAlias).
  std::string address;  ///< Public address.
  /// "ssh-ed25519 AAAA...": the only key that is accepted; two of one type with ";" between them
  /// while one takes the other's place.
  std::string host_key;
  int port = 22;
  friend bool operator==(const Host&, const Host&) = default;
};

struct Settings {
  std::string user = "root";
  std::string identity_file;  ///< The stack's own private key, offered besides the user's agent.
  /// A private folder with a short path (a unix socket's path has 107 bytes at most).
  std::string runtime_folder;
  std::chrono::seconds connect_timeout{10};
};

/// A command on a server: an argument vector that is quoted in one place (ssh/quote.hpp).
struct Command {
  std::vector<std::string> arguments;
  std::string input;
  std::chrono::milliseconds timeout{120'000};
  std::function<void(std::string_view)> on_output;
  std::function<void(std::string_view)> on_error_output;
  OnStop on_stop = OnStop::end;
};

/// Whether an interactive session gets a terminal on the server.
enum class Tty {
  when_terminal,  ///< When standard input is one here.
  never,          ///< The output's bytes come as they are.
};

/// One control connection (ControlMaster) per server, opened at first use and closed by the
/// destructor. Safe to use from several threads; different servers do not wait for each other.
/// StrictHostKeyChecking=yes with a known hosts file of its own and no other source of host keys;
/// BatchMode; the user's own configuration (ProxyJump, agent) still applies.
class Connections {
 public:
  Connections(Processes& processes, Files& files, Clock& clock, Settings settings);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Runs a command. A non-zero exit status is a result, not an error. Errors: unreachable
  /// (refused, timed out, cut off), unauthorised (key refused; or the host key changed: message
  /// names both fingerprints and the hint says how to accept it).
  Result<ProcessResult> run(const Host& host, const Command& command);
  /// run() where a non-zero exit is an Error::failed with the last lines of its error output.
  Result<std::string> run_or_fail(const Host& host, const Command& command);
  /// Writes a file atomically (temporary file, mode, rename) with the content on standard input.
  Status write_file(const Host& host, const std::string& path, std::string_view content,
                    std::uint32_t mode);
  /// Forwards a unix socket of the server; the local socket's path. The same one for every call.
  Result<std::string> forward_socket(const Host& host, const std::string& remote_socket);
  /// The argument vector of an interactive session, for Processes::run_attached.
  Result<std::vector<std::string>> interactive(const Host& host,
                                               const std::vector<std::string>& command, Tty tty);
  /// Connects as soon as the server answers. Errors: timed_out after `limit`, with what the last
  /// attempt said; unauthorised at once.
  Status await(const Host& host, std::chrono::milliseconds limit);
  /// Ends the connection to a server, for example before it is rebooted or when its key is rotated.
  void close(const Host& host);

 private:
  struct Connection;
  struct Route;
  enum class Role;
  class Session;

  std::shared_ptr<Connection> connection_to(const Host& host);
  /// How to reach the server now, over a live control connection.
  Result<Route> route(Connection& connection, const Host& host);
  Result<Route> open(Connection& connection, const Host& host);
  void close(Connection& connection);
  bool alive(const Route& route);
  Result<ProcessResult> control(const Route& route, const std::vector<std::string>& operation,
                                OnStop on_stop);
  std::vector<std::string> options(const Route& route, Role role) const;

  Processes& processes_;
  Files& files_;
  Clock& clock_;
  Settings settings_;
  std::mutex mutex_;  ///< Of connections_; a connection has one of its own.
  std::map<std::string, std::shared_ptr<Connection>> connections_;  ///< By server name.
};

}  // namespace paas::ssh
