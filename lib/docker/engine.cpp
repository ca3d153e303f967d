// Requests to an engine: the version of its API, errors, and what it says about itself.
#include "docker/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/text.hpp"
#include "docker/call.hpp"
#include "docker/hijack.hpp"

namespace paas::docker {
namespace {

/// "1.41" as a number to compare with.
int version_number(const std::string& version) {
  const auto parts = text::split(version, '.');
  const auto major = text::to_integer(parts[0]).value_or(0);
  const auto minor = parts.size() > 1 ? text::to_integer(parts[1]).value_or(0) : 0;
  return static_cast<int>(major * 1000 + minor);
}

/// The newest version whose answers this client was written for, and the least that engine 29
/// accepts.
constexpr const char* newest_version = "1.44";

}  // namespace

struct Engine::Agreed {
  std::mutex mutex;
  std::string version;
  std::optional<bool> containerd_store;
};

Engine::Engine(Http& http, std::string socket, EngineOptions options)
    : http_(http),
      socket_(std::move(socket)),
      options_(std::move(options)),
      agreed_(std::make_shared<Agreed>()) {
  if (options_.address.empty()) options_.address = socket_;
  if (options_.hint.empty()) {
    options_.hint = fmt::format(
        "nothing answers at {}: start Docker Engine, or name its socket in DOCKER_HOST "
        "(unix:///PATH)",
        socket_);
  }
  if (options_.hijack) return;
  options_.hijack = [](const auto& path_of_socket, const auto& path, const auto& body,
                       const auto& exec, const auto& sink) {
    return hijack_unix_socket(path_of_socket, path, body, exec.input, sink, exec.timeout);
  };
}

Error Engine::explain(Error error) const {
  if (error.kind == ErrorKind::unreachable && error.hint.empty()) {
    error.hint = options_.hint;
  }
  error.message = text::replace_all(std::move(error.message), socket_, options_.address);
  return with_context(std::move(error), options_.name);
}

Error Engine::refusal(const HttpResponse& response) const {
  const auto value = nlohmann::json::parse(response.body, nullptr, false);
  auto message = text_of(member(value, "message"));
  if (message.empty()) message = std::string(text::trim(response.body)).substr(0, 500);
  if (message.empty()) message = fmt::format("status {} without a message", response.status);
  auto kind = ErrorKind::failed;
  if (response.status == 404) kind = ErrorKind::not_found;
  if (response.status == 409) kind = ErrorKind::exists;
  if (response.status == 401) kind = ErrorKind::unauthorised;
  return with_context(make_error(kind, std::move(message)), options_.name);
}

Result<std::string> Engine::api_version() {
  // Held through the request: threads that start together ask once.
  const std::lock_guard lock(agreed_->mutex);
  if (!agreed_->version.empty()) return agreed_->version;
  HttpRequest request;
  request.url = "http://docker/version";
  request.unix_socket = socket_;
  const auto response = http_.send(request);
  if (!response) return fail(explain(response.error()));
  if (response->status >= 400) return fail(refusal(*response));
  const auto engine = nlohmann::json::parse(response->body, nullptr, false);
  const auto newest = text_of(member(engine, "ApiVersion"));
  if (newest.empty()) {
    return fail(explain(make_error(ErrorKind::failed, "what answers is not a Docker Engine")));
  }
  const auto oldest = text_of(member(engine, "MinAPIVersion"));
  std::string version = newest_version;
  if (version_number(newest) < version_number(version)) version = newest;
  if (version_number(oldest) > version_number(version)) version = oldest;
  agreed_->version = version;
  return version;
}

Result<HttpResponse> Engine::send(const Call& call) {
  PAAS_TRY(const auto version, api_version());
  HttpRequest request;
  request.method = call.method;
  request.url = fmt::format("http://docker/v{}{}", version, target_of(call));
  request.unix_socket = socket_;
  request.on_body = call.on_body;
  request.timeout = call.timeout;
  if (!call.registry_login.empty()) {
    request.headers.emplace_back("X-Registry-Auth", call.registry_login.reveal());
  }
  if (!call.json.is_null()) {
    PAAS_TRY(request.body, dump(call.json));
    request.headers.emplace_back("Content-Type", "application/json");
  } else if (call.source) {
    request.body_source = call.source;
    request.body_length = call.length;
    request.headers.emplace_back("Content-Type", "application/x-tar");
  }
  auto response = http_.send(request);
  if (!response) return fail(explain(std::move(response.error())));
  if (response->status >= 400) return fail(refusal(*response));
  return response;
}

Result<nlohmann::json> Engine::fetch(const Call& call) {
  PAAS_TRY(const auto response, send(call));
  auto value = nlohmann::json::parse(response.body, nullptr, false);
  if (value.is_discarded()) {
    return fail(explain(make_error(ErrorKind::failed, fmt::format("the answer to {} {} is not JSON",
                                                                  call.method, call.path))));
  }
  return value;
}

Status Engine::ping() {
  PAAS_TRY([[maybe_unused]] const auto response, send({.path = "/_ping"}));
  return {};
}

Result<EngineInfo> Engine::info() {
  PAAS_TRY(const auto value, fetch({.path = "/info"}));
  EngineInfo info;
  info.version = text_of(member(value, "ServerVersion"));
  PAAS_TRY(info.api_version, api_version());
  info.driver = text_of(member(value, "Driver"));
  info.cgroup_version = text_of(member(value, "CgroupVersion")) == "2" ? 2 : 1;
  info.data_root = text_of(member(value, "DockerRootDir"));
  const auto& details = member(value, "DriverStatus");
  for (const auto& row : details.is_array() ? details : nlohmann::json::array()) {
    const auto texts = texts_of(row);
    if (texts.size() == 2 && texts[0] == "driver-type" &&
        texts[1].rfind("io.containerd.snapshotter", 0) == 0) {
      info.containerd_store = true;
    }
  }
  return info;
}

Result<bool> Engine::has_containerd_store() {
  {
    const std::lock_guard lock(agreed_->mutex);
    if (agreed_->containerd_store) return *agreed_->containerd_store;
  }
  PAAS_TRY(const auto found, info());
  const std::lock_guard lock(agreed_->mutex);
  agreed_->containerd_store = found.containerd_store;
  return found.containerd_store;
}

}  // namespace paas::docker
