// One request to the API: authorised, rate limited, retried when that is safe, its answer parsed.
#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "digitalocean/client.hpp"
#include "digitalocean/limiter.hpp"
#include "ports/clock.hpp"
#include "ports/http.hpp"

namespace paas::digitalocean {

struct Call {
  std::string method = "GET";
  std::string path;     ///< From "/v2/" on, its parts escaped, with the query.
  nlohmann::json body;  ///< Null: none.
};

/// Safe to use from several threads.
class Transport {
 public:
  Transport(Http& http, Clock& clock, ClientSettings settings);

  /// The parsed body of a 2xx answer, null when it has none. GET, PUT and DELETE are tried up to 5
  /// times on 5xx, 408, broken connections and answers that make no sense, each time no sooner than
  /// the answer's `retry-after` says (header_time.hpp); a POST or PATCH only once. All of them wait
  /// for the rate limit and wait out a 429, which took no effect; a POST or PATCH only one in the
  /// form of the API's errors or with a header of its limit. A redirect is an error: the token goes
  /// to no other host.
  Result<nlohmann::json> send(const Call& call);

  Clock& clock() { return clock_; }
  const std::string& url() const { return settings_.url; }

 private:
  Result<HttpRequest> make_request(const Call& call) const;
  Result<HttpResponse> send_within_limit(const HttpRequest& request, Quota quota,
                                         int limited_tries);
  Status wait(std::chrono::milliseconds duration, const std::string& why);
  Status wait(const Limiter::Pause& pause);
  void tell(const Limiter::Pause& pause);
  std::chrono::milliseconds backoff(int tries);
  Error redacted(Error error) const;

  Http& http_;
  Clock& clock_;
  ClientSettings settings_;
  Limiter limiter_;
  /// Around what the settings have called, which need not be safe, and what follows.
  std::mutex mutex_;
  /// When the wait ends that was told last: requests that wait with it are told by it.
  std::optional<std::chrono::milliseconds> told_until_;
};

/// A path's part or a query's value: everything but unreserved characters and ":" as %XX.
std::string escaped(std::string_view part);

/// Context of errors: what is being done.
template <typename T>
Result<T> doing(Result<T> result, const std::string& what) {
  if (result) return result;
  return fail(std::move(result.error()), what);
}

}  // namespace paas::digitalocean
