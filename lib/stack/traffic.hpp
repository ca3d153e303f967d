// What the load balancer does with all requests, whatever rule they match.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace paas::stack {

/// So many requests in any period of that length.
struct Rate {
  int requests = 0;
  int period_seconds = 0;
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// What a client may ask for; absent: any amount.
struct Limit {
  std::optional<Rate> requests = {};  ///< Of one client address.
  std::optional<std::int64_t> body_bytes = {};
  friend bool operator==(const Limit&, const Limit&) = default;
};

/// How long the load balancer waits; the defaults are those of a stack file that says nothing.
struct Timeouts {
  int connect_ms = 3000;      ///< For a server's connection.
  int client_ms = 60000;      ///< For a client that sends or takes nothing.
  int server_ms = 60000;      ///< For a server that sends nothing.
  int request_ms = 10000;     ///< For the whole head of a request.
  int keep_alive_ms = 30000;  ///< For another request on a connection.
  int queue_ms = 10000;       ///< For a server with room.
  int tunnel_ms = 3600000;    ///< For a WebSocket on which nothing is said.
  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

enum class AccessLog {
  none,  ///< Only requests that something was wrong with.
  text,  ///< HAProxy's own form.
  json,
};

/// How the load balancer knows a client again, which it then sends to the server of before.
struct Sticky {
  enum class By {
    source,  ///< Its address.
    cookie,  ///< A cookie that the service gives out.
    header,
  };
  By by = By::source;
  std::string name = {};    ///< Of the cookie or header; empty by source.
  int keep_seconds = 3600;  ///< Since it was last seen.
  friend bool operator==(const Sticky&, const Sticky&) = default;
};

/// What users get while `lb maintenance` is on; both empty: a page of paasctl's own.
struct MaintenancePage {
  std::string file = {};  ///< Beside the stack file; empty once it was read.
  std::string html = {};
  friend bool operator==(const MaintenancePage&, const MaintenancePage&) = default;
};

struct Traffic {
  Limit limit = {};
  Timeouts timeouts = {};
  std::vector<std::string> compression = {};  ///< Types of contents; empty: nothing.
  std::string health = {};  ///< Path that the load balancer answers by itself; empty: none.
  AccessLog log = AccessLog::none;
  std::vector<std::string> trusted_proxies = {};  ///< Addresses (CIDR) whose word is believed.
  MaintenancePage maintenance = {};
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

}  // namespace paas::stack
