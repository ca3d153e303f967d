// What Connections knows about a server: the way to it, and the sessions that run over it.
#pragma once

#include <condition_variable>
#include <optional>

#include "ssh/connections.hpp"

namespace paas::ssh {

/// sshd takes 10 sessions a connection unless it is told otherwise (MaxSessions).
constexpr int sessions_at_once = 8;
constexpr std::chrono::seconds session_wait{5};

/// Which keys to offer. Trying the stack's own alone first keeps an agent with many keys from
/// using up the attempts that the server allows.
enum class Offer { stack_key, users_keys };

/// Whether a client becomes the one that others share (the master), or never does, whatever the
/// user's own configuration says.
enum class Connections::Role { master, guest };

/// The way to a server, as values that stay right while others reconnect.
struct Connections::Route {
  Host host;
  std::string control_socket;
  std::string known_hosts;
  Offer offer = Offer::stack_key;
};

struct Connections::Connection {
  std::mutex mutex;  ///< Held while it is opened, checked or closed.
  std::optional<Route> route;
  std::map<std::string, std::string> forwards;  ///< Remote socket to local socket.
  /// When the master last proved to be alive; nothing when that is in doubt.
  std::optional<std::chrono::milliseconds> checked_at;

  std::mutex sessions_mutex;
  std::condition_variable session_ended;
  int sessions = 0;
};

/// A place among the sessions of a connection. Waits for one, but not for ever: long streams may
/// hold them all, and then the client makes a connection of its own.
class Connections::Session {
 public:
  explicit Session(Connection& connection) : connection_(connection) {
    std::unique_lock lock(connection_.sessions_mutex);
    shared_ = connection_.session_ended.wait_for(
        lock, session_wait, [this] { return connection_.sessions < sessions_at_once; });
    if (shared_) ++connection_.sessions;
  }
  ~Session() {
    if (!shared_) return;
    const std::scoped_lock lock(connection_.sessions_mutex);
    --connection_.sessions;
    connection_.session_ended.notify_one();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool shared() const { return shared_; }

 private:
  Connection& connection_;
  bool shared_ = false;
};

}  // namespace paas::ssh
