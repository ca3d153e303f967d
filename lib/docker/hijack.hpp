// An HTTP request over a unix socket whose connection becomes a raw stream in both directions.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace paas::docker {

/// Posts `body` to `path` with "Connection: Upgrade", and after the engine's 101 (or 200) sends
/// `input`, closes the sending side, and gives `sink` what comes back until the engine closes.
/// Input and output move at the same time, so neither blocks the other. An engine's socket that
/// OpenSSH forwards passes the closed side on. Errors: unreachable; timed_out when the engine has
/// not closed after `timeout`; not_found, exists or failed
/// with the engine's message; the sink's.
Status hijack_unix_socket(const std::string& socket, const std::string& path,
                          const std::string& body, std::string_view input,
                          const std::function<Status(std::string_view)>& sink,
                          std::chrono::milliseconds timeout, const std::stop_token& stop = {});

}  // namespace paas::docker
