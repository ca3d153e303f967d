// HTTP as the clients need it: requests to an address or over a unix socket, with streamed bodies.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace paas {

struct HttpRequest {
  std::string method = "GET";
  /// For a unix socket the host is ignored: "http://docker/v1.40/info".
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// Connects to this socket instead of the url's host.
  std::optional<std::string> unix_socket;
  /// Called for the next part of a streamed body, at most `capacity` bytes; "" ends it, an error
  /// aborts the request. Used instead of `body`.
  std::function<Result<std::string>(std::size_t capacity)> body_source;
  /// Length of the streamed body in bytes; chunked when absent.
  std::optional<std::uint64_t> body_length;
  /// Receives the response's body in parts, instead of HttpResponse::body. An error aborts.
  /// Only called for statuses below 400; the body of an error is always collected.
  std::function<Status(std::string_view part)> on_body;
  std::chrono::milliseconds connect_timeout{10'000};
  /// For the whole exchange; zero is without limit (streams).
  std::chrono::milliseconds timeout{60'000};
};

struct HttpResponse {
  int status = 0;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
};

class Http {
 public:
  virtual ~Http() = default;
  /// An answer of any status is a response. Safe to call from several threads at once. Redirects
  /// are not followed. Errors: unreachable (no complete answer came; message says which address and
  /// why), timed_out, interrupted, or the error of a callback.
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

}  // namespace paas
