// HAProxy's Runtime API: commands, their answers, and adding or removing a server without a reload.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "haproxy/model.hpp"
#include "ports/clock.hpp"

namespace paas::haproxy {

/// One line of `show stat` for a server.
struct ServerStatistics {
  std::string backend;
  std::string server;
  std::string status;        ///< "UP", "DOWN", "MAINT", "DRAIN", "no check" ...
  std::string check_status;  ///< "L7OK", "L4CON" ...; empty before the first check; "* " while one
                             ///< runs is cut off.
  std::int64_t weight = 0;
  std::int64_t current_sessions = 0;
  std::int64_t total_sessions = 0;
  std::int64_t queue = 0;
  std::int64_t request_rate = 0;
  std::int64_t errors_5xx = 0;
  std::int64_t responses = 0;         ///< Of status 200 and above.
  std::int64_t response_time_ms = 0;  ///< Mean of the last 1,024 requests.
  std::string address;                ///< "10.1.0.5:20000"
};

/// Whether HAProxy gives it new requests, or would if its checks passed: not while it drains, is in
/// maintenance or has weight zero.
bool takes_requests(const ServerStatistics& server);

/// Sends one command (without a newline) to the admin socket and returns the whole answer.
using Send = std::function<Result<std::string>(const std::string& command)>;

/// What Runtime asks for statistics with.
inline constexpr std::string_view statistics_command = "show stat";

/// Parses the CSV of `show stat`; columns are found by their names. Error (invalid) when it is not
/// that.
Result<std::vector<ServerStatistics>> parse_statistics(std::string_view csv);

/// How far add_server() goes.
enum class Entry { in_rotation, checked_only };

class Runtime {
 public:
  Runtime(Send send, Clock& clock);

  Result<std::vector<ServerStatistics>> statistics();
  /// Adds a server with weight 0, enables checks and the server, waits until its check has passed,
  /// gives it weight. (HAProxy marks a new server UP before any check ran, FACTS.md.) One that is
  /// there with the same address is brought into rotation; one with another address is removed
  /// first. With Entry::checked_only a new one keeps weight 0, so that it gets no request yet.
  /// Error timed_out when the check does not pass in time; the server is taken out again then.
  Status add_server(const Backend& backend, const Server& server, std::chrono::milliseconds timeout,
                    Entry entry = Entry::in_rotation);
  /// Gives servers of a backend a weight and lets others of it finish what they have, at the same
  /// moment. Error (not_found): HAProxy does not have one of them.
  Status change_over(const std::string& backend, const std::vector<std::string>& enter, int weight,
                     const std::vector<std::string>& leave);
  /// Waits until servers of a backend have no session left, or the time is over; whether none has.
  Result<bool> await_drained(const std::string& backend, const std::vector<std::string>& servers,
                             std::chrono::milliseconds timeout);
  /// Deletes at once what drains and had no session left in these statistics. False when it is not
  /// so, or HAProxy refuses because of connections that came meanwhile: remove_server() waits.
  Result<bool> delete_drained(const ServerStatistics& server);
  /// Drains, waits until no session is left or the time is over, maintenance, deletes. Sessions
  /// that are left then are cut, and deleting may take two seconds more. What is not there is no
  /// error.
  Status remove_server(const std::string& backend, const std::string& server,
                       std::chrono::milliseconds drain_timeout);

 private:
  Result<std::string> command(const std::string& text);
  /// A command that HAProxy answers with nothing when it is done.
  Status order(const std::string& text);
  Status register_server(const std::string& addition, const std::string& target);
  Status wait_for_check(const std::string& backend, const std::string& server,
                        std::chrono::milliseconds timeout);
  /// Deletes what is in maintenance; tries again while connections are left.
  Status delete_server(const std::string& target, std::chrono::milliseconds timeout);

  Send send_;
  Clock& clock_;
};

}  // namespace paas::haproxy
