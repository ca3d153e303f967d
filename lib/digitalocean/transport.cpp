// Sends requests, waits for the rate limit and between retries, and parses answers.
#include "digitalocean/transport.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <string_view>
#include <variant>

#include "base/text.hpp"
#include "digitalocean/endpoint.hpp"
#include "digitalocean/errors.hpp"
#include "digitalocean/header_time.hpp"

namespace paas::digitalocean {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr int tries_max = 5;
constexpr int limited_tries_max = 10;
constexpr milliseconds backoff_first{500};
constexpr milliseconds backoff_max{20'000};
constexpr milliseconds backoff_min{20};
/// Shorter waits for the rate limit are not worth a message, nor is one that ends so little later
/// than was told.
constexpr milliseconds message_min{2000};
/// Between messages about requests that are spread, each of which waits by itself.
constexpr milliseconds message_interval = std::chrono::minutes(1);
constexpr milliseconds pause_step = std::chrono::minutes(10);

double random_fraction() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

Quota quota_of(const Call& call) {
  const auto path = std::string_view(call.path).substr(0, call.path.find('?'));
  const bool lists_keys = call.method == "GET" && path == "/v2/account/keys";
  return lists_keys ? Quota::key_list : Quota::general;
}

std::string text_of(const Limiter::Pause& pause) {
  switch (pause.cause) {
    case Limiter::Cause::scarce:
      return fmt::format(
          "{} of the API's {} requests an hour are left, so they are spread; waiting {}",
          pause.left, pause.limit, text::duration(pause.length));
    case Limiter::Cause::slow:
      return fmt::format("the API's rate limit is shared with others; waiting {}",
                         text::duration(pause.length));
    case Limiter::Cause::refused:
    case Limiter::Cause::minute:
    case Limiter::Cause::hour:
      break;
  }
  return fmt::format("the API's rate limit is used up; waiting {}", text::duration(pause.length));
}

/// RFC 9110, 9.2.2. A PATCH may be idempotent, but nothing says which one is.
bool is_repeatable(const Call& call) {
  return call.method == "GET" || call.method == "PUT" || call.method == "DELETE";
}

/// Whether a 429 has a header of the API's limit, which its error may come without. A proxy may
/// send retry-after as well.
bool names_limit(const HttpResponse& response) {
  constexpr std::array names = {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"};
  return std::any_of(names.begin(), names.end(),
                     [&](const char* name) { return !header(response, name).empty(); });
}

/// No complete answer of the API came. Of what is not sent again it is unknown whether it took
/// effect, and the message says so.
Error no_answer(Error error, const Call& call) {
  if (error.kind == ErrorKind::interrupted) return error;
  error.kind = ErrorKind::unreachable;
  if (!is_repeatable(call)) error.message += "; whether the request took effect is unknown";
  if (error.hint.empty()) error.hint = "check the network and the API's url, then run it again";
  return error;
}

/// HTML, or JSON that was cut short, says nothing about what exists.
Result<json> parse_success(const HttpResponse& response) {
  if (response.status == 204 || response.body.empty()) return json();
  auto body = json::parse(response.body, nullptr, false);
  if (body.is_object()) return body;
  const auto id = header(response, "x-request-id");
  return fail(ErrorKind::unreachable,
              fmt::format("the API answered {} with something that is not a whole JSON object{}",
                          response.status, id.empty() ? "" : fmt::format(" (request {})", id)),
              "a proxy may be answering instead of the API; check the API's url");
}

Error without_effect(Error error) {
  error.took_effect = TookEffect::no;
  return error;
}

}  // namespace

std::string escaped(std::string_view part) {
  constexpr std::string_view kept = "-._~:";
  std::string result;
  for (const char c : part) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || kept.find(c) != std::string_view::npos;
    result += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

Transport::Transport(Http& http, Clock& clock, ClientSettings settings)
    : http_(http), clock_(clock), settings_(std::move(settings)), limiter_(clock) {
  while (!settings_.url.empty() && settings_.url.back() == '/') settings_.url.pop_back();
  if (!settings_.jitter) settings_.jitter = random_fraction;
}

Result<json> Transport::send(const Call& call) {
  const auto request = make_request(call);
  if (!request) return fail(without_effect(request.error()));
  const auto quota = quota_of(call);
  int limited_tries = 0;
  for (int tries = 1;; ++tries) {
    auto response = send_within_limit(*request, quota, limited_tries);
    Error error;
    if (!response) {
      error = no_answer(redacted(std::move(response.error())), call);
    } else if (response->status == 429) {
      error = error_of(*response, settings_.token);
      // What the API's limit refused was not begun, so that even a POST may be sent again. A proxy
      // may refuse what it has passed on before.
      const bool is_refused = is_refusal(error) || names_limit(*response);
      if (!is_refused && !is_repeatable(call)) return fail(no_answer(std::move(error), call));
      if (++limited_tries >= limited_tries_max) return fail(std::move(error));
      --tries;  // The limiter makes the next one wait.
      continue;
    } else if (response->status >= 200 && response->status < 300) {
      auto body = parse_success(*response);
      if (body) return body;
      error = no_answer(redacted(std::move(body.error())), call);
    } else {
      error = error_of(*response, settings_.token);
      // A redirect is the same the next time, and it changed nothing.
      const bool is_redirect = response->status < 400;
      if (error.kind != ErrorKind::unreachable || is_redirect) return fail(std::move(error));
      error = no_answer(std::move(error), call);
    }
    const bool is_passing = error.kind == ErrorKind::unreachable;
    if (!is_passing || !is_repeatable(call) || tries >= tries_max) return fail(std::move(error));
    // An answer may say how long the service needs; jitter comes on top of that.
    const auto asked = response ? retry_after(*response, clock_.now()) : std::nullopt;
    PAAS_CHECK(wait(backoff(tries) + asked.value_or(milliseconds(0)),
                    fmt::format("{} (try {} of {})", error.message, tries, tries_max)));
  }
}

Result<HttpRequest> Transport::make_request(const Call& call) const {
  PAAS_TRY(const auto url, check_endpoint(settings_.url));
  const auto& token = settings_.token.reveal();
  if (token.empty()) {
    return fail(ErrorKind::unauthorised, "there is no token for the API",
                "set DIGITALOCEAN_ACCESS_TOKEN or DIGITALOCEAN_TOKEN; `paasctl cloud env` prints "
                "the local cloud's");
  }
  const bool is_clean =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!is_clean) {
    return fail(ErrorKind::unauthorised, "the API's token has characters that no token has",
                "look for a line end or a space in DIGITALOCEAN_ACCESS_TOKEN");
  }
  HttpRequest request;
  request.method = call.method;
  request.url = url + call.path;
  request.headers = {{"Authorization", "Bearer " + token},
                     {"Accept", "application/json"},
                     {"User-Agent", "paasctl"}};
  if (!call.body.is_null()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = call.body.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return request;
}

Result<HttpResponse> Transport::send_within_limit(const HttpRequest& request, Quota quota,
                                                  int limited_tries) {
  while (true) {
    const auto admission = limiter_.admit(quota);
    if (const auto* pause = std::get_if<Limiter::Pause>(&admission)) {
      PAAS_CHECK(wait(*pause));
      continue;
    }
    const auto& ticket = std::get<Limiter::Ticket>(admission);
    auto response = http_.send(request);
    if (!response) {
      limiter_.unanswered(ticket);
    } else {
      milliseconds jitter{0};
      if (response->status == 429) {
        jitter = backoff(limiter_.tells_when(*response) ? 1 : limited_tries + 2);
      }
      limiter_.answered(ticket, *response, jitter);
    }
    return response;
  }
}

/// A long pause is taken in steps, because other requests' answers may shorten it.
Status Transport::wait(const Limiter::Pause& pause) {
  tell(pause);
  return clock_.wait(std::min(pause.length, pause_step));
}

void Transport::tell(const Limiter::Pause& pause) {
  const std::lock_guard lock(mutex_);
  if (!settings_.on_wait || pause.length < message_min) return;
  const auto ends = clock_.monotonic() + pause.length;
  const bool is_spread =
      pause.cause == Limiter::Cause::scarce || pause.cause == Limiter::Cause::slow;
  const auto later = is_spread ? message_interval : message_min;
  if (told_until_ && ends < *told_until_ + later) return;
  settings_.on_wait(text_of(pause));
  told_until_ = ends;
}

Status Transport::wait(milliseconds duration, const std::string& why) {
  if (settings_.on_retry) {
    const std::lock_guard lock(mutex_);
    settings_.on_retry(fmt::format("{}; waiting {}", why, text::duration(duration)));
  }
  return clock_.wait(duration);
}

/// Exponential with full jitter, so that runs side by side do not come back together.
milliseconds Transport::backoff(int tries) {
  const auto ceiling = std::min(backoff_max, backoff_first * (1 << std::min(tries - 1, 10)));
  const std::lock_guard lock(mutex_);
  const auto spread = static_cast<double>(ceiling.count()) * settings_.jitter();
  return std::max(backoff_min, milliseconds(static_cast<std::int64_t>(spread)));
}

/// A service or a proxy may quote the request; the token is in no message nevertheless.
Error Transport::redacted(Error error) const {
  error.message = without_token(std::move(error.message), settings_.token);
  for (auto& layer : error.context) layer = without_token(std::move(layer), settings_.token);
  return error;
}

}  // namespace paas::digitalocean
