// Sends requests to the provider in memory, and spoils one of them.
#include "crash/support/provider_http.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "reconcile/support/cloud_request.hpp"

namespace paas::crash {
namespace {

using reconcile::testing::cloud_request;
using reconcile::testing::http_response;

constexpr Milliseconds latency{20};

/// "GET /v2/droplets?tag_name=paas:shop": with what tells lists apart, without what pages do.
std::string text_of(const cloud::Request& request) {
  auto text = request.method + " " + request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    if (name == "page") continue;
    text += fmt::format("{}{}={}", separator, name, value);
    separator = '&';
  }
  return text;
}

HttpResponse status_answer(int status, const std::string& message) {
  HttpResponse response;
  response.status = status;
  response.headers["content-type"] = "application/json";
  response.body = nlohmann::json{{"id", "injected"}, {"message", message}}.dump();
  return response;
}

/// The same answer with an empty list in the place of the one that it has.
HttpResponse emptied(HttpResponse response) {
  auto body = nlohmann::json::parse(response.body, nullptr, false);
  if (!body.is_object()) return response;
  for (auto& [key, value] : body.items()) {
    if (value.is_array()) value = nlohmann::json::array();
  }
  body["meta"]["total"] = 0;
  body["links"] = nlohmann::json::object();
  response.body = body.dump();
  return response;
}

constexpr Milliseconds half_a_minute{30'000};

Result<HttpResponse> no_answer(FaultKind kind) {
  const bool is_late = kind == FaultKind::timeout_before || kind == FaultKind::timeout_after;
  if (is_late) return fail(ErrorKind::timed_out, "injected: no answer within 60 s");
  return fail(ErrorKind::unreachable, "injected: the connection was reset");
}

}  // namespace

cloud::Answer ProviderHttp::carry_out(const cloud::Request& request) {
  world_.ledger.ask(request, world_.provider.state);
  auto answer = world_.provider.handle(request, world_.time, [&](const cloud::Effect& effect) {
    const auto fault = operations_.begin(Domain::effect, describe(effect, world_.provider.state));
    if (fault == FaultKind::effect_fails) return Fate::fails;
    return fault == FaultKind::effect_stuck ? Fate::stuck : Fate::done;
  });
  world_.ledger.hear(request, answer, world_.provider.state);
  return answer;
}

/// Answers with the fault; those that come after the change carry the request out before.
Result<HttpResponse> ProviderHttp::spoil(FaultKind kind, const cloud::Request& request) {
  switch (kind) {
    case FaultKind::reset_after:
    case FaultKind::timeout_after:
    case FaultKind::error_503_after:
    case FaultKind::error_408_after:
    case FaultKind::half_answer:
    case FaultKind::empty_list: {
      auto response = http_response(carry_out(request));
      if (kind == FaultKind::empty_list) return emptied(std::move(response));
      world_.ledger.miss(request);
      if (kind == FaultKind::error_503_after) return status_answer(503, "injected");
      if (kind == FaultKind::error_408_after) return status_answer(408, "injected");
      if (kind != FaultKind::half_answer) return no_answer(kind);
      response.body.resize(response.body.size() / 2);
      return response;
    }
    case FaultKind::error_500:
      world_.ledger.miss(request);
      return status_answer(500, "injected");
    case FaultKind::limit_plain:
      return status_answer(429, "injected");
    case FaultKind::limit_waiting: {
      auto response = status_answer(429, "injected");
      response.headers["retry-after"] = "7";
      return response;
    }
    case FaultKind::refused_401:
      return status_answer(401, "injected: Unable to authenticate you.");
    case FaultKind::refused_403:
      return status_answer(403, "injected: You are not authorized to perform this operation.");
    case FaultKind::lost_404:
      return status_answer(404, "injected: The resource could not be found.");
    case FaultKind::busy_422:
      return status_answer(422, "injected: Droplet already has a pending event.");
    case FaultKind::sold_out:
      return status_answer(422, "injected: The size is not available in this region.");
    case FaultKind::droplet_limit:
      return status_answer(
          422, "injected: creating this/these droplet(s) will exceed your droplet limit");
    case FaultKind::html_200: {
      world_.ledger.miss(request);
      HttpResponse response;
      response.status = 200;
      response.body = "<html><body>Please log in</body></html>";
      return response;
    }
    case FaultKind::killed_before:
    case FaultKind::killed_after:
      if (kind == FaultKind::killed_after) (void)carry_out(request);
      fuse_.set(1);
      return fail(fuse_.spend().error());
    default:
      world_.ledger.miss(request);
      return no_answer(kind);
  }
}

Result<HttpResponse> ProviderHttp::send(const HttpRequest& request) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  world_.time += latency;
  const auto translated = cloud_request(request);
  const auto text = text_of(translated);
  const bool is_change = request.method != "GET";
  if (is_change) changes_.push_back(text);
  const auto fault = operations_.begin(Domain::http, text);
  if (fault == FaultKind::late) world_.time += half_a_minute;
  auto response = fault && fault != FaultKind::late
                      ? spoil(*fault, translated)
                      : Result<HttpResponse>(http_response(carry_out(translated)));
  if (is_change) PAAS_CHECK(fuse_.spend());
  return response;
}

}  // namespace paas::crash
