// Reads what a server prints when it is looked at.
#include "observe/look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "docker/engine.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/runtime.hpp"
#include "observe/certificates.hpp"

namespace paas::observe {

namespace {

/// Variables of an image are not ours: only those that the label names are compared.
std::map<std::string, std::string> own_variables(const docker::ContainerInfo& info) {
  std::map<std::string, std::string> result;
  const auto label = info.labels.find("paas.variables");
  if (label == info.labels.end()) return result;
  const auto names = text::split(label->second, ',');
  for (const auto& variable : info.environment) {
    const auto equals = variable.find('=');
    if (equals == std::string::npos) continue;
    auto name = variable.substr(0, equals);
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      result[std::move(name)] = variable.substr(equals + 1);
    }
  }
  return result;
}

std::string label_of(const docker::ContainerInfo& info, const std::string& name) {
  const auto label = info.labels.find(name);
  return label == info.labels.end() ? "" : label->second;
}

Container container_from(const docker::ContainerInfo& info) {
  Container container;
  container.name = info.name;
  container.service = label_of(info, "paas.service");
  container.release =
      static_cast<int>(text::to_integer(label_of(info, "paas.release")).value_or(0));
  container.slot = static_cast<int>(text::to_integer(label_of(info, "paas.slot")).value_or(0));
  container.state = info.state;
  container.image_digest = label_of(info, "paas.image");
  container.shape = label_of(info, "paas.shape");
  container.environment = own_variables(info);
  return container;
}

/// The text cut into parts that begin with a line "--- NAME".
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  /// What follows the part's line, up to the next part; the last one is all that is left.
  Result<std::string_view> next(std::string_view name, std::string_view following) {
    const auto line = fmt::format("--- {}\n", name);
    if (!rest_.starts_with(line)) return fail(ErrorKind::invalid, "a look lacks " + line);
    rest_.remove_prefix(line.size());
    if (following.empty()) return rest_;
    const auto end = fmt::format("--- {}\n", following);
    auto at = rest_.starts_with(end) ? 0 : rest_.find("\n" + end);
    if (at == std::string_view::npos) return fail(ErrorKind::invalid, "a look lacks " + end);
    if (at != 0) ++at;
    const auto part = rest_.substr(0, at);
    rest_.remove_prefix(at);
    return part;
  }

 private:
  std::string_view rest_;
};

Result<nlohmann::json> parse(std::string_view text) {
  auto value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded()) return fail(ErrorKind::invalid, "Docker Engine's answer is no JSON");
  return value;
}

Status read_containers(std::string_view text, Machine& machine) {
  for (const auto& line : text::lines(text)) {
    if (text::trim(line).empty()) continue;
    PAAS_TRY(const auto value, parse(line));
    const auto info = docker::container_from_inspection(value);
    if (!info.id.empty()) {
      machine.containers.push_back(container_from(info));
      continue;
    }
    // One that went away since it was listed; one that the engine cannot tell about is still there.
    const auto said = value.is_object() ? value.value("message", std::string()) : std::string();
    if (!said.starts_with("No such container")) {
      return fail(ErrorKind::unreachable,
                  fmt::format("Docker Engine does not tell about a container: {}", said));
    }
  }
  return {};
}

Status read_images(std::string_view text, Machine& machine) {
  PAAS_TRY(const auto list, parse(text));
  if (!list.is_array()) return fail(ErrorKind::invalid, "the list of images is not a list");
  for (const auto& image : list) machine.image_digests.insert(image.value("Id", ""));
  return {};
}

Result<Balancer> read_balancer(Parts& parts) {
  constexpr std::string_view silent = "--- silent\n";
  Balancer result;
  PAAS_TRY(const auto statistics, parts.next("statistics", "info"));
  PAAS_TRY(const auto info, parts.next("info", "certificates"));
  PAAS_TRY(const auto files, parts.next("certificates", ""));
  result.configuration = read_certificates(files, result);
  // HAProxy does not run, or not with our configuration.
  if (statistics == silent || info == silent) return result;
  result.running = true;
  PAAS_TRY(const auto servers, haproxy::parse_statistics(statistics));
  result.mark = haproxy::mark_in_info(info);
  for (const auto& server : servers) {
    result.known[server.backend].insert(server.server);
    result.weights[server.backend][server.server] = static_cast<int>(server.weight);
    const bool out = server.status.starts_with("MAINT") || server.status.starts_with("DRAIN");
    if (!out && server.weight > 0) result.in_rotation[server.backend].insert(server.server);
  }
  return result;
}

}  // namespace

Result<Machine> read_look(std::string_view text, bool is_balancer) {
  Machine machine;
  Parts parts(text);
  PAAS_TRY(const auto hosts, parts.next("hosts", "mounts"));
  machine.hosts = hosts;
  PAAS_TRY(const auto mounts, parts.next("mounts", "containers"));
  for (auto& name : text::lines(mounts)) machine.mounted_volumes.insert(name);
  PAAS_TRY(const auto containers, parts.next("containers", "images"));
  PAAS_CHECK(read_containers(containers, machine));
  PAAS_TRY(const auto images, parts.next("images", is_balancer ? "statistics" : ""));
  PAAS_CHECK(read_images(images, machine));
  if (is_balancer) {
    PAAS_TRY(machine.balancer, read_balancer(parts));
  }
  return machine;
}

}  // namespace paas::observe
