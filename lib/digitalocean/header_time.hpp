// Times in the headers of answers.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "ports/http.hpp"

namespace paas::digitalocean {

/// The longest wait that an answer can ask for: the API's own windows are no longer.
constexpr std::chrono::milliseconds wait_max = std::chrono::hours(1);
/// A time of day that is only known by this machine's own clock is approached in steps of this
/// length: that clock may be wrong.
constexpr std::chrono::milliseconds wait_max_by_own_clock = std::chrono::minutes(5);

/// How long the `retry-after` header asks to wait (RFC 9110, 10.2.3): whole seconds, also with a
/// fraction, which is rounded up, or a date, which is compared with the answer's own `date` header,
/// else with `now`. At most wait_max: what asks for more is asked again after an hour. Nothing
/// when there is no such header or it is not understood.
std::optional<std::chrono::milliseconds> retry_after(const HttpResponse& response,
                                                     std::chrono::system_clock::time_point now);

/// "Tue, 24 Nov 2026 22:16:37 GMT", the form of HTTP's dates that servers have to send (RFC 9110,
/// 5.6.7); nothing for anything else.
std::optional<std::chrono::system_clock::time_point> parse_http_date(const std::string& text);

}  // namespace paas::digitalocean
