// Entry of a request: token, limits, route, body; then the resource's function.
#include "cloud/core.hpp"

#include <fmt/format.h>

#include "cloud/call.hpp"
#include "cloud/fault.hpp"
#include "cloud/rate_limit.hpp"
#include "cloud/routes.hpp"

namespace paas::cloud {
namespace {

UnixTime unix_time(const Surroundings& surroundings) {
  return std::chrono::duration_cast<std::chrono::seconds>(surroundings.now.time_since_epoch())
      .count();
}

struct ErrorText {
  std::string_view id;
  std::string_view message;
};

ErrorText error_text(int status) {
  switch (status) {
    case 400:
      return {"bad_request", "The request body is not a JSON object."};
    case 401:
      return {"unauthorized", "Unable to authenticate you."};
    case 403:
      return {"forbidden", "You are not allowed to do that."};
    case 404:
      return {"not_found", "The resource you requested could not be found."};
    case 405:
      return {"method_not_allowed", "The method is not allowed for this resource."};
    case 409:
      return {"conflict", "The request could not be completed due to a conflict."};
    case 412:
      return {"precondition_failed", "Something else has to be done first."};
    case 413:
      return {"payload_too_large", "The request body is too large."};
    case 414:
      return {"uri_too_long", "The request's address is too long."};
    case 422:
      return {"unprocessable_entity", "The request could not be processed."};
    case 429:
      return {"too_many_requests", "API Rate limit exceeded."};
    case 500:
      return {"server_error", "Unexpected server-side error"};
    case 502:
      return {"bad_gateway", "The server got no proper answer from behind it."};
    case 503:
      return {"service_unavailable", "Service unavailable, please try again later."};
    case 504:
      return {"gateway_timeout", "The server got no answer in time from behind it."};
    default:
      return {"bad_request", "The request could not be understood."};
  }
}

Answer make_error(const State& state, const Request& request, int status, std::string message,
                  const Surroundings& surroundings) {
  const auto text = error_text(status);
  if (message.empty()) message = text.message;
  Json body = {{"id", text.id}, {"message", message}, {"request_id", request.request_id}};
  // The published document has another form for just this one.
  if (status == 400 && request.method == "POST" && request.path == "/v2/tags") {
    body.update({{"error", message}, {"messages", nullptr}, {"root_causes", Json::array()}});
  }
  Answer answer{status, body.dump(-1, ' ', false, Json::error_handler_t::replace),
                rate_limit::headers(state, unix_time(surroundings))};
  answer.headers["x-request-id"] = request.request_id;
  return answer;
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::exists:
      return 409;
    case ErrorKind::unauthorised:
      return 403;
    case ErrorKind::usage:
      return 400;
    case ErrorKind::failed:
      return 412;
    default:
      return 422;
  }
}

/// Takes the same time whatever the difference is.
bool same_secret(std::string_view left, std::string_view right) {
  unsigned difference = left.size() == right.size() ? 0 : 1;
  for (std::size_t index = 0; index < left.size(); ++index) {
    const char other = right.empty() ? '\0' : right[index % right.size()];
    difference |= static_cast<unsigned char>(left[index]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

bool authorised(const State& state, const Request& request) {
  constexpr std::string_view scheme = "Bearer ";
  const std::string_view given = request.authorization;
  if (state.settings.token.empty() || given.substr(0, scheme.size()) != scheme) return false;
  return same_secret(given.substr(scheme.size()), state.settings.token);
}

bool takes_body(std::string_view method) { return method != "GET" && method != "HEAD"; }

bool is_control(const std::string& path) { return path.starts_with(fault::control_path); }

/// The request's operation, without faults.
Outcome carry_out(State& state, const Request& request, const Surroundings& surroundings) {
  const auto refuse = [&](int status, std::string message = {}) {
    return Outcome{make_error(state, request, status, std::move(message), surroundings), {}, false};
  };
  const auto match = find_route(request.method, request.path);
  if (!match.path_known) return refuse(404);
  if (match.handler == nullptr) return refuse(405);
  if (request.body.size() > max_body_bytes) return refuse(413);

  Call call{request, match.arguments, Json::object()};
  if (takes_body(request.method) && !request.body.empty()) {
    call.body = Json::parse(request.body, nullptr, false);
    if (!call.body.is_object()) return refuse(400);
  }
  Turn turn{state, surroundings};
  auto reply = match.handler(turn, call);
  if (!reply) return refuse(status_of(reply.error().kind), reply.error().message);

  Outcome outcome;
  outcome.answer.status = reply->status;
  if (!reply->body.is_null()) {
    outcome.answer.body = reply->body.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  outcome.answer.headers = rate_limit::headers(state, unix_time(surroundings));
  outcome.answer.headers["x-request-id"] = request.request_id;
  outcome.effects = std::move(turn.effects);
  outcome.changed = takes_body(request.method);
  return outcome;
}

constexpr std::string_view page_for_people =
    "<!DOCTYPE html>\n<html><head><title>One moment</title></head>\n"
    "<body><h1>Checking your connection ...</h1></body></html>\n";

/// What the fault says instead of `right`, which is the answer of the API or nothing yet.
Answer faulty_answer(const State& state, const Request& request, const fault::Rule& rule,
                     Answer right, const Surroundings& surroundings) {
  const auto error = [&](int status, std::string message = {}) {
    return make_error(state, request, status, std::move(message), surroundings);
  };
  auto answer = std::move(right);
  switch (rule.kind) {
    case fault::Kind::status:
      answer = error(rule.status);
      if (rule.status < 400 || !rule.body.empty()) answer.body = rule.body;
      if (rule.retry_after_seconds >= 0) {
        answer.headers["retry-after"] = std::to_string(rule.retry_after_seconds);
      }
      break;
    case fault::Kind::html:
      answer = error(200);
      answer.body = page_for_people;
      answer.content_type = "text/html; charset=utf-8";
      break;
    case fault::Kind::cut:
      answer = error(500);
      answer.delivery.end = Delivery::End::nothing;
      break;
    case fault::Kind::half:
      answer.delivery.end = answer.body.empty() ? Delivery::End::nothing : Delivery::End::half;
      break;
    case fault::Kind::sold_out:
      answer = error(422, rule.size.empty() ? "The region is not available."
                                            : "Size is not available in this region.");
      break;
    default:
      break;
  }
  return answer;
}

}  // namespace

Answer error_answer(const State& state, const Request& request, int status,
                    const Surroundings& surroundings) {
  return make_error(state, request, status, "", surroundings);
}

Outcome handle(State& state, const Request& request, const Surroundings& surroundings) {
  const auto refuse = [&](int status, std::string message = {}) {
    return Outcome{make_error(state, request, status, std::move(message), surroundings), {}, false};
  };
  if (!authorised(state, request)) return refuse(401);
  if (is_control(request.path)) return carry_out(state, request, surroundings);
  if (const auto refusal = rate_limit::count(state, request, unix_time(surroundings))) {
    auto outcome = refuse(429, refusal->message);
    if (refusal->retry_after_seconds) {
      outcome.answer.headers["retry-after"] = std::to_string(*refusal->retry_after_seconds);
    }
    return outcome;
  }
  const auto decision = fault::decide(state, request);
  Outcome outcome;
  const auto before = fault::look_before(state, decision);
  if (!decision.rule || !fault::answers_instead(*decision.rule)) {
    outcome = carry_out(state, request, surroundings);
    if (decision.rule) fault::follow(state, *decision.rule, before, outcome);
  }
  if (decision.rule) {
    outcome.answer =
        faulty_answer(state, request, *decision.rule, std::move(outcome.answer), surroundings);
  }
  outcome.answer.delivery.delay = decision.delay;
  return outcome;
}

}  // namespace paas::cloud
