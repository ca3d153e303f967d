// An engine's containers: making, listing and ending them.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "docker/call.hpp"
#include "docker/engine.hpp"

namespace paas::docker {
namespace {

std::string container_path(const std::string& container, const char* rest) {
  return "/containers/" + encode_path(container) + rest;
}

std::string without_slash(std::string name) {
  if (!name.empty() && name.front() == '/') name.erase(0, 1);
  return name;
}

nlohmann::json container_body(const ContainerSpec& spec) {
  using nlohmann::json;
  json body = json::object();
  body["Image"] = spec.image;
  if (!spec.entrypoint.empty()) body["Entrypoint"] = spec.entrypoint;
  if (!spec.command.empty()) body["Cmd"] = spec.command;
  if (!spec.environment.empty()) body["Env"] = spec.environment;
  if (!spec.labels.empty()) body["Labels"] = spec.labels;
  if (!spec.hostname.empty()) body["Hostname"] = spec.hostname;
  if (spec.stop_timeout_seconds) body["StopTimeout"] = *spec.stop_timeout_seconds;
  if (spec.open_input) {
    body["OpenStdin"] = true;
    body["StdinOnce"] = true;
    body["AttachStdin"] = true;
  }
  if (spec.terminal) body["Tty"] = true;
  auto& host = body["HostConfig"] = json::object();
  if (spec.auto_remove) host["AutoRemove"] = true;
  host["RestartPolicy"] = {{"Name", spec.restart_policy}};
  for (const auto& port : spec.ports) {
    const auto key = fmt::format("{}/tcp", port.container_port);
    body["ExposedPorts"][key] = json::object();
    host["PortBindings"][key].push_back(
        {{"HostIp", port.host_address}, {"HostPort", std::to_string(port.host_port)}});
  }
  for (const auto& mount : spec.mounts) {
    // A mount, unlike a bind, fails when its source is missing, instead of making an empty folder
    // there.
    const bool path = !mount.source.empty() && mount.source.front() == '/';
    host["Mounts"].push_back({{"Type", path ? "bind" : "volume"},
                              {"Source", mount.source},
                              {"Target", mount.target},
                              {"ReadOnly", mount.read_only}});
  }
  return body;
}

/// "80/tcp" -> 80.
int port_of(const std::string& key) {
  return static_cast<int>(text::to_integer(key.substr(0, key.find('/'))).value_or(0));
}

std::vector<PortBinding> read_bindings(const nlohmann::json& ports) {
  std::vector<PortBinding> bindings;
  if (!ports.is_object()) return bindings;
  for (const auto& [key, list] : ports.items()) {
    if (!list.is_array()) continue;
    for (const auto& binding : list) {
      bindings.push_back({text_of(member(binding, "HostIp")),
                          port_of(text_of(member(binding, "HostPort"))), port_of(key)});
    }
  }
  return bindings;
}

/// What the container was created with, which is there while it is stopped too; the ports in force
/// where the engine was to choose them.
std::vector<PortBinding> read_ports(const nlohmann::json& value) {
  auto declared = read_bindings(member(member(value, "HostConfig"), "PortBindings"));
  const auto chosen = [](const PortBinding& binding) { return binding.host_port != 0; };
  if (std::all_of(declared.begin(), declared.end(), chosen)) return declared;
  auto active = read_bindings(member(member(value, "NetworkSettings"), "Ports"));
  return active.empty() ? declared : active;
}

/// The code in "Exited (137) 3 minutes ago"; the list has it nowhere else.
int listed_exit_code(const std::string& status) {
  const auto open = status.find('(');
  const auto close = status.find(')', open);
  if (status.rfind("Exited", 0) != 0 || close == std::string::npos) return 0;
  const auto code = text::to_integer(status.substr(open + 1, close - open - 1));
  return static_cast<int>(code.value_or(0));
}

ContainerInfo read_listed(const nlohmann::json& value) {
  ContainerInfo info;
  info.id = text_of(member(value, "Id"));
  const auto names = texts_of(member(value, "Names"));
  // A container that others link to has more names, which contain a slash: its own is the one
  // without.
  for (const auto& name : names) {
    const auto plain = without_slash(name);
    if (plain.find('/') == std::string::npos) info.name = plain;
  }
  info.image_id = text_of(member(value, "ImageID"));
  info.state = text_of(member(value, "State"));
  info.exit_code = listed_exit_code(text_of(member(value, "Status")));
  info.labels = labels_of(member(value, "Labels"));
  const auto& ports = member(value, "Ports");
  for (const auto& port : ports.is_array() ? ports : nlohmann::json::array()) {
    const auto host_port = static_cast<int>(integer_of(member(port, "PublicPort")));
    if (host_port == 0) continue;
    info.ports.push_back({text_of(member(port, "IP")), host_port,
                          static_cast<int>(integer_of(member(port, "PrivatePort")))});
  }
  return info;
}

/// A stop that waits for the container needs more time than the container is given.
std::chrono::milliseconds stopping(int timeout_seconds) {
  return std::chrono::seconds(60 + std::max(0, timeout_seconds));
}

}  // namespace

ContainerInfo container_from_inspection(const nlohmann::json& value) {
  const auto& state = member(value, "State");
  const auto& config = member(value, "Config");
  ContainerInfo info;
  info.id = text_of(member(value, "Id"));
  info.name = without_slash(text_of(member(value, "Name")));
  info.image_id = text_of(member(value, "Image"));
  info.state = text_of(member(state, "Status"));
  info.exit_code = static_cast<int>(integer_of(member(state, "ExitCode")));
  info.restart_count = static_cast<int>(integer_of(member(value, "RestartCount")));
  info.labels = labels_of(member(config, "Labels"));
  info.started_at = text_of(member(state, "StartedAt"));
  info.ports = read_ports(value);
  info.environment = texts_of(member(config, "Env"));
  return info;
}

Result<std::string> Engine::create_container(const ContainerSpec& spec) {
  return create_container(spec.name, container_body(spec));
}

Result<std::string> Engine::create_container(const std::string& name, const nlohmann::json& body) {
  Call call{.method = "POST", .path = "/containers/create", .json = body};
  if (!name.empty()) call.query.emplace_back("name", name);
  call.timeout = std::chrono::minutes(3);
  PAAS_TRY(const auto value, fetch(call));
  return text_of(member(value, "Id"));
}

Status Engine::start_container(const std::string& container) {
  PAAS_TRY([[maybe_unused]] const auto response, send({.method = "POST",
                                                       .path = container_path(container, "/start"),
                                                       .timeout = std::chrono::minutes(3)}));
  return {};
}

Status Engine::stop_container(const std::string& container, int timeout_seconds) {
  PAAS_TRY([[maybe_unused]] const auto response,
           send({.method = "POST",
                 .path = container_path(container, "/stop"),
                 .query = {{"t", std::to_string(timeout_seconds)}},
                 .timeout = stopping(timeout_seconds)}));
  return {};
}

Status Engine::kill_container(const std::string& container, const std::string& signal) {
  PAAS_TRY([[maybe_unused]] const auto response, send({.method = "POST",
                                                       .path = container_path(container, "/kill"),
                                                       .query = {{"signal", signal}}}));
  return {};
}

Status Engine::pause_container(const std::string& container) {
  PAAS_TRY([[maybe_unused]] const auto response,
           send({.method = "POST", .path = container_path(container, "/pause")}));
  return {};
}

Status Engine::unpause_container(const std::string& container) {
  PAAS_TRY([[maybe_unused]] const auto response,
           send({.method = "POST", .path = container_path(container, "/unpause")}));
  return {};
}

Status Engine::remove_container(const std::string& container) {
  const auto removed = send({.method = "DELETE",
                             .path = container_path(container, ""),
                             .query = {{"force", "1"}, {"v", "1"}},
                             .timeout = std::chrono::minutes(3)});
  if (removed || removed.error().kind == ErrorKind::not_found) return {};
  if (removed.error().kind != ErrorKind::exists) return fail(removed.error());
  // Another removal is under way (409): wait for its end, so that the name is free when this
  // returns.
  const auto gone = send({.method = "POST",
                          .path = container_path(container, "/wait"),
                          .query = {{"condition", "removed"}},
                          .timeout = std::chrono::minutes(3)});
  if (gone || gone.error().kind == ErrorKind::not_found) return {};
  return fail(gone.error());
}

Result<std::vector<ContainerInfo>> Engine::containers(const std::vector<std::string>& labels) {
  PAAS_TRY(const auto list, fetch({.path = "/containers/json",
                                   .query = {{"all", "1"}, {"filters", label_filter(labels)}}}));
  if (!list.is_array()) {
    return fail(explain(make_error(ErrorKind::failed, "the list of containers is not a list")));
  }
  std::vector<ContainerInfo> containers;
  for (const auto& value : list) containers.push_back(read_listed(value));
  return containers;
}

Result<nlohmann::json> Engine::inspect_container_json(const std::string& container) {
  return fetch({.path = container_path(container, "/json")});
}

Result<ContainerInfo> Engine::inspect_container(const std::string& container) {
  PAAS_TRY(const auto value, inspect_container_json(container));
  return container_from_inspection(value);
}

Result<std::string> Engine::commit_container(const std::string& container,
                                             const std::string& repository,
                                             const std::string& tag) {
  PAAS_TRY(const auto value,
           fetch({.method = "POST",
                  .path = "/commit",
                  .query = {{"container", container}, {"repo", repository}, {"tag", tag}},
                  .json = nlohmann::json::object(),
                  .timeout = unlimited}));
  return text_of(member(value, "Id"));
}

}  // namespace paas::docker
