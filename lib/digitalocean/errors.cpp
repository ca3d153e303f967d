// Maps the API's error answers to kinds, messages and hints.
#include "digitalocean/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace paas::digitalocean {
namespace {

constexpr std::string_view pending_event = "pending event";
constexpr std::string_view vpc_in_use = "the VPC still has members";
constexpr std::string_view token_hint =
    "the token comes from DIGITALOCEAN_ACCESS_TOKEN or DIGITALOCEAN_TOKEN and needs read and "
    "write access; `paasctl cloud env` prints the local cloud's";

struct Answer {
  std::string message;
  std::string request_id;
  /// A JSON object with an "id" or a "message", as the API's errors are; a proxy's are not.
  bool is_from_api = false;
};

/// The message is the service's text: it is freed of the token, which it may quote, cut, and freed
/// of control characters before people see it. What is cut first may keep a part of the token.
std::string printable(std::string text, const Secret& token) {
  constexpr std::size_t message_bytes_max = 500;
  text = without_token(std::move(text), token);
  if (text.size() > message_bytes_max) text = text.substr(0, message_bytes_max) + "...";
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return text;
}

Answer read_answer(const HttpResponse& response, const Secret& token) {
  Answer answer;
  const auto body = nlohmann::json::parse(response.body, nullptr, false);
  const auto text_at = [&](const char* key) {
    if (!body.is_object()) return std::string();
    const auto found = body.find(key);
    return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  answer.message = text_at("message");
  answer.is_from_api = !answer.message.empty() || !text_at("id").empty();
  answer.message = printable(std::move(answer.message), token);
  answer.request_id = text_at("request_id");
  if (answer.request_id.empty()) answer.request_id = header(response, "x-request-id");
  answer.request_id = printable(std::move(answer.request_id), token);
  return answer;
}

bool mentions(const std::string& message, std::initializer_list<std::string_view> words) {
  const auto lowered = text::lower(message);
  for (const auto word : words) {
    if (lowered.find(word) != std::string::npos) return true;
  }
  return false;
}

/// A size or region that is sold out: nothing is wrong with what was asked for.
bool is_sold_out(int status, const std::string& message) {
  return status == 422 && mentions(message, {"size", "region"}) &&
         mentions(message, {"not available", "unavailable", "sold out"});
}

ErrorKind kind_of_unprocessable(const std::string& message) {
  if (mentions(message, {pending_event})) return ErrorKind::failed;
  if (is_sold_out(422, message)) return ErrorKind::failed;
  if (mentions(message, {"limit"}) && mentions(message, {"exceed", "droplet limit", "reached"})) {
    return ErrorKind::limited;
  }
  if (mentions(message, {"already in use", "already exist", "duplicate"})) return ErrorKind::exists;
  return ErrorKind::failed;
}

/// Whether something else than the API may have answered: its errors have a form of their own.
bool is_disbelieved(int status, const Answer& answer) {
  return status >= 400 && status < 500 && !answer.is_from_api;
}

/// After any other status what was asked for may have been done.
bool is_refusing(int status) {
  constexpr std::array refusing = {400, 401, 403, 404, 409, 412, 422, 429};
  return std::find(refusing.begin(), refusing.end(), status) != refusing.end();
}

ErrorKind kind_of(int status, const Answer& answer) {
  if (status == 401 || status == 403) return ErrorKind::unauthorised;
  if (status == 429) return ErrorKind::limited;
  // What does not exist is deleted, and what exists is made: only the API itself is believed.
  if (is_disbelieved(status, answer)) return ErrorKind::unreachable;
  switch (status) {
    case 404:
      return ErrorKind::not_found;
    case 409:
      return mentions(answer.message, {pending_event}) ? ErrorKind::failed : ErrorKind::exists;
    // Something on the way gave up waiting for the answer.
    case 408:
    case 425:
    case 499:
      return ErrorKind::unreachable;
    case 422:
      return kind_of_unprocessable(answer.message);
    default:
      return status >= 500 || status < 400 ? ErrorKind::unreachable : ErrorKind::failed;
  }
}

std::string hint_of(int status, ErrorKind kind, const Answer& answer) {
  const auto& message = answer.message;
  if (kind == ErrorKind::unauthorised) return std::string(token_hint);
  if (status == 429)
    return "the API allows 5,000 requests an hour and 250 a minute; try again later";
  if (is_sold_out(status, message)) {
    return "choose another size or region in the stack file, or try again later";
  }
  if (kind == ErrorKind::limited) {
    return "remove what is not needed, or ask DigitalOcean to raise the account's limit";
  }
  if (status >= 300 && status < 400) return "redirects are not followed; check the API's url";
  if (is_disbelieved(status, answer)) {
    return "a proxy may be answering instead of the API; check the API's url";
  }
  if (kind == ErrorKind::unreachable) return "the service has a problem; try again in a while";
  return {};
}

}  // namespace

std::string header(const HttpResponse& response, const std::string& name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string() : found->second;
}

bool is_pending_event(const Error& error) {
  return error.kind == ErrorKind::failed && mentions(error.message, {pending_event});
}

bool is_vpc_in_use(const Error& error) {
  return error.kind == ErrorKind::failed && error.message.rfind(vpc_in_use, 0) == 0;
}

bool is_refusal(const Error& error) { return error.took_effect == TookEffect::no; }

std::string without_token(std::string text, const Secret& token) {
  return text::replace_all(std::move(text), token.reveal(), "***");
}

Error error_of(const HttpResponse& response, const Secret& token) {
  const auto answer = read_answer(response, token);
  const auto kind = kind_of(response.status, answer);
  std::string message = fmt::format("the API answered {}", response.status);
  if (is_disbelieved(response.status, answer)) message += " in a form that is not the API's";
  if (!answer.message.empty()) message += ": " + answer.message;
  if (!answer.request_id.empty()) message += fmt::format(" (request {})", answer.request_id);
  auto error = make_error(kind, std::move(message), hint_of(response.status, kind, answer));
  if (answer.is_from_api && is_refusing(response.status)) error.took_effect = TookEffect::no;
  return error;
}

Error vpc_deletion_error(Error error) {
  const bool is_refusal = error.kind == ErrorKind::unauthorised &&
                          error.message.find(" 403") != std::string::npos &&
                          !mentions(error.message, {"authori"});
  if (!is_refusal) return error;
  error.kind = ErrorKind::failed;
  error.message = fmt::format("{}: {}", vpc_in_use, error.message);
  error.hint = "a VPC can be deleted when its last droplet is gone";
  return error;
}

}  // namespace paas::digitalocean
